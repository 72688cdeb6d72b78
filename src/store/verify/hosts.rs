//! What is known of hosts can be read, no host had more pages than visits, none was visited in the future, and none is
//! left alone for longer than any is. How many pages a host had cannot be counted anew, nor whether it must have been visited: budgets go by the
//! new pages that were queued, and pages of records that were put in otherwise are none of them.

use super::super::schema::HOSTS;
use super::super::{StoreError, values};
use super::pages::url_of;
use super::{Check, Work};
use crate::frontier::QueueName;
use crate::model::{CLOCK_ERROR, HostRecord};

pub(super) struct Hosts;

impl Check for Hosts {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(HOSTS, "reading what is known of hosts", &mut |work, key, value| {
            let Some(host) = values::decode_host(value).ok().filter(|_| is_queue(key)) else {
                return work.unreadable(HOSTS, key, "the host");
            };
            let pages = host.pages.min(host.visits);
            let last = last_of(&host.last, HostRecord::REMEMBERED);
            let last_failures = last_of(&host.last_failures, HostRecord::REMEMBERED_FAILURES);
            let mut sound = HostRecord { pages, last, last_failures, ..host.clone() };
            if sound != host {
                work.report.add(
                    HOSTS,
                    "hosts with more pages than visits, or too many of them remembered",
                    key,
                );
            }
            let now = work.options.now;
            let visits = sound.last.iter_mut().map(|visit| &mut visit.at);
            let times = visits.chain(sound.last_failures.iter_mut().map(|failure| &mut failure.at));
            let mut ahead = false;
            for at in times.filter(|at| **at > now.saturating_add(CLOCK_ERROR)) {
                (*at, ahead) = (now, true);
            }
            if ahead {
                work.report.add(HOSTS, "hosts with visits in the future", key);
            }
            let latest = now.saturating_add(work.options.longest_sleep);
            if host.asleep_until > latest.saturating_add(CLOCK_ERROR) {
                work.report.add(HOSTS, "hosts left alone for longer than any is", key);
                sound.asleep_until = latest;
            }
            if sound == host { Ok(()) } else { work.mender.put(HOSTS, key, &values::encode_host(&sound)) }
        })
    }
}

/// The last `most`.
fn last_of<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    all[all.len().saturating_sub(most)..].to_vec()
}

fn is_queue(key: &[u8]) -> bool {
    let Some((&scheme, authority)) = key.split_last() else { return false };
    url_of(&[authority, b"/", &[scheme]].concat()).is_some_and(|url| QueueName::of(&url).as_bytes() == key)
}
