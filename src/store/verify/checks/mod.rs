//! The checks, one file each. A new one implements [`ConsistencyCheck`] and is added to [`checks`].

mod backlinks;
mod change_numbers;
mod counters;
mod host_pairs;
mod hosts;
mod meta;
mod queue;
mod ranks;
mod schedule;
pub(in crate::store) mod seen_set;
mod visits;

use crate::store::StoreError;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::RepairedPage;

/// A check of stored rows against the pages.
pub(super) trait ConsistencyCheck {
    /// Adds a page with its links to the expected state.
    fn add_page(&mut self, _page: &RepairedPage, _context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Compares stored rows with the expected state, after all pages were added.
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError>;
}

/// All checks, in the order of their comparison.
pub(super) fn checks(memory_bytes: usize) -> Vec<Box<dyn ConsistencyCheck>> {
    // Four checks keep a set hash each.
    let share = memory_bytes / 4;
    vec![
        Box::new(backlinks::BacklinkCheck::new(share)),
        Box::new(host_pairs::HostPairCheck::incoming(share)),
        Box::new(host_pairs::HostPairCheck::outgoing(share)),
        Box::new(counters::CounterCheck::default()),
        Box::new(change_numbers::ChangeNumberCheck),
        Box::new(visits::VisitCheck),
        Box::new(queue::QueueCheck),
        Box::new(schedule::ScheduleCheck::new(share)),
        // The set hashes of the checks before are freed by then.
        Box::new(seen_set::SeenSetCheck::new(memory_bytes)),
        Box::new(hosts::HostCheck),
        Box::new(ranks::RankCheck),
        Box::new(meta::MetaCheck),
    ]
}
