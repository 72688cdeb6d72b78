//! Records of hosts can be decoded. No host had more pages than visits, no visit is in the future, and no host sleeps
//! for longer than the limit.
//!
//! The number of pages of a host cannot be counted again, nor can it be decided whether a host must have been visited.
//! Budgets count new pages that were queued, and pages from records that were stored otherwise are not among them.

use crate::model::{CLOCK_ERROR, HostRecord, QueueName};
use crate::store::db::schema::HOSTS;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::canonical_url;
use crate::store::{StoreError, codec};

use super::ConsistencyCheck;

pub(super) struct HostCheck;

impl ConsistencyCheck for HostCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.for_each_row(HOSTS, "reading hosts", &mut |context, key, value| {
            let Some(host) = codec::decode_host(value).ok().filter(|_| is_queue(key)) else {
                return context.remove_unreadable(HOSTS, key, "the host");
            };
            let pages = host.pages.min(host.visits);
            let last = last_of(&host.last, HostRecord::REMEMBERED);
            let last_failures = last_of(&host.last_failures, HostRecord::REMEMBERED_FAILURES);
            let mut sound = HostRecord { pages, last, last_failures, ..host.clone() };
            if sound != host {
                context.report.add(
                    HOSTS,
                    "hosts with more pages than visits, or too many of them remembered",
                    key,
                );
            }
            let now = context.options.now;
            let visits = sound.last.iter_mut().map(|visit| &mut visit.visited_at);
            let times = visits.chain(sound.last_failures.iter_mut().map(|failure| &mut failure.at));
            let mut ahead = false;
            for at in times.filter(|at| **at > now.saturating_add(CLOCK_ERROR)) {
                (*at, ahead) = (now, true);
            }
            if ahead {
                context.report.add(HOSTS, "hosts with visits in the future", key);
            }
            let latest = now.saturating_add(context.options.longest_sleep);
            if host.backoff_until > latest.saturating_add(CLOCK_ERROR) {
                context.report.add(HOSTS, "hosts left alone for longer than any is", key);
                sound.backoff_until = latest;
            }
            if sound == host { Ok(()) } else { context.repair.put(HOSTS, key, &codec::encode_host(&sound)) }
        })
    }
}

/// The last `most` elements.
fn last_of<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    all[all.len().saturating_sub(most)..].to_vec()
}

fn is_queue(key: &[u8]) -> bool {
    let Some((&scheme, authority)) = key.split_last() else { return false };
    canonical_url(&[authority, b"/", &[scheme]].concat())
        .is_some_and(|url| QueueName::of(&url).as_bytes() == key)
}
