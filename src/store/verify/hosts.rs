//! What is known of hosts can be read, no host had more pages than visits, and none is left alone for longer than
//! any is. How many pages a host had cannot be counted anew, nor whether it must have been visited: budgets go by the
//! new pages that were queued, and pages of records that were put in otherwise are none of them.

use super::super::schema::HOSTS;
use super::super::{StoreError, values};
use super::pages::url_of;
use super::{CLOCK_ERROR, Check, Work};
use crate::frontier::QueueName;
use crate::model::HostRecord;

pub(super) struct Hosts;

impl Check for Hosts {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(HOSTS, "reading what is known of hosts", &mut |work, key, value| {
            let Some(host) = values::decode_host(value).ok().filter(|_| is_queue(key)) else {
                return work.unreadable(HOSTS, key, "the host");
            };
            let pages = host.pages.min(host.visits);
            let last = host.last[host.last.len().saturating_sub(HostRecord::REMEMBERED)..].to_vec();
            let mut sound = HostRecord { pages, last, ..host.clone() };
            if sound != host {
                work.report.add(
                    HOSTS,
                    "hosts with more pages than visits, or too many of them remembered",
                    key,
                );
            }
            let latest = work.options.now.saturating_add(work.options.longest_sleep);
            if host.asleep_until > latest.saturating_add(CLOCK_ERROR) {
                work.report.add(HOSTS, "hosts left alone for longer than any is", key);
                sound.asleep_until = latest;
            }
            if sound == host { Ok(()) } else { work.mender.put(HOSTS, key, &values::encode_host(&sound)) }
        })
    }
}

fn is_queue(key: &[u8]) -> bool {
    let Some((&scheme, authority)) = key.split_last() else { return false };
    url_of(&[authority, b"/", &[scheme]].concat()).is_some_and(|url| QueueName::of(&url).as_bytes() == key)
}
