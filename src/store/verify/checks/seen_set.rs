//! The seen set is complete and minimal.
//!
//! - Its files have the content that was written.
//! - Every page, and every queued or scheduled URL, is in the set or unmerged. Otherwise it would count as new when it
//!   is discovered, which only an imported page at rest may.
//! - Every URL in the set has a page, or is queued or scheduled. Otherwise it would never be fetched.
//!
//! The repair queues lost URLs that pages link to, and rebuilds the set. The remaining lost URLs then count as new.
//!
//! The set is sorted by fingerprint, the other data is not. Therefore the fingerprints are read in slices that fit
//! into memory, and the keys of pages, queue and schedule are read once for each slice.

use std::ops::RangeInclusive;

use crate::model::{Priority, QueueEntry, Target};
use crate::store::StoreError;
use crate::store::codec::queue_entry::{encode_entry, entry_key};
use crate::store::db::schema::{FRONTIER, PAGES, SCHEDULE, SEEN};
use crate::store::queue::seen_set::seen_set_surt;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::{canonical_url, scan_again};
use crate::urls::{Surt, surt_fingerprint, url_fingerprint};

use super::ConsistencyCheck;
use super::queue::is_at_rest;

const UNSEEN: &str = "pages, queued or scheduled URLs that are not known";
const LOST: &str = "known URLs that are no page, and neither queued nor scheduled";

/// Bytes of one fingerprint in a slice, with its mark, while the vector grows.
const ROW_BYTES: usize = 24;
/// Minimum number of fingerprints in a slice.
const MIN_ROWS: usize = 1_024;

pub(super) struct SeenSetCheck {
    /// Number of fingerprints in a slice.
    rows: u64,
}

/// A part of the seen set.
struct SeenSlice {
    range: RangeInclusive<u64>,
    /// The fingerprints of the slice, sorted.
    fingerprints: Vec<u64>,
    /// Whether each fingerprint was found in a page, the queue or the schedule.
    found: Vec<bool>,
}

impl SeenSetCheck {
    pub(super) fn new(memory_bytes: usize) -> Self {
        Self { rows: (memory_bytes / ROW_BYTES).max(MIN_ROWS) as u64 }
    }
}

impl ConsistencyCheck for SeenSetCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.begin_step("reading the set of seen URLs");
        if let Err(error) = context.writer.check_files() {
            context.report.add_with(SEEN, "files that are damaged", || error.to_string());
            return Ok(());
        }
        let mut unmerged = context.writer.unmerged();
        unmerged.sort_unstable();
        // Fingerprints are evenly distributed: equal ranges hold about equally many.
        let slices = context.writer.len() / self.rows + 1;
        let share = u64::MAX / slices;
        for number in 0..slices {
            let from = number * share;
            let to = if number + 1 == slices { u64::MAX } else { from + share - 1 };
            let known = context.writer.seen_between(&(from..=to))?;
            let mut slice =
                SeenSlice { range: from..=to, found: vec![false; known.len()], fingerprints: known };
            [PAGES, FRONTIER, SCHEDULE]
                .into_iter()
                .try_for_each(|family| slice.compare_family(family, &unmerged, context))?;
            slice.report(context)?;
        }
        Ok(())
    }
}

impl SeenSlice {
    /// Compares a column family with the slice.
    fn compare_family(
        &mut self,
        family: &'static str,
        unmerged: &[u64],
        context: &mut VerifyContext<'_>,
    ) -> Result<(), StoreError> {
        let step = "comparing pages, queue and schedule with the set of seen URLs";
        context.for_each_row(family, step, &mut |context, key, _| {
            let Some(surt) = seen_set_surt(family, key) else { return Ok(()) };
            let fingerprint = surt_fingerprint(surt);
            if self.range.contains(&fingerprint)
                && !self.mark(fingerprint)
                && unmerged.binary_search(&fingerprint).is_err()
                // Keys without a URL were reported before.
                && canonical_url(surt).is_some()
                && !(family == PAGES && is_at_rest(context, surt)?)
            {
                context.report.add(SEEN, UNSEEN, surt);
            }
            Ok(())
        })
    }

    /// Marks a URL as found. Returns whether it is in the set.
    fn mark(&mut self, fingerprint: u64) -> bool {
        let place = self.fingerprints.binary_search(&fingerprint);
        place.map(|at| self.found[at] = true).is_ok()
    }

    /// Whether a URL is in the set, but was not found.
    fn is_lost(&self, fingerprint: u64) -> bool {
        self.fingerprints.binary_search(&fingerprint).is_ok_and(|at| !self.found[at])
    }

    /// Reports the lost URLs, and queues those that a page links to.
    fn report(mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        if self.found.iter().all(|found| *found) {
            return Ok(());
        }
        scan_again(context, "looking for links to lost URLs", &mut |page, context| {
            for url in page.links.iter().map(|link| &link.target).chain(&page.page.facts.canonical) {
                let surt = Surt::from(url);
                let fingerprint = url_fingerprint(url, surt.as_bytes());
                if !self.is_lost(fingerprint) {
                    continue;
                }
                self.mark(fingerprint);
                context.report.add(SEEN, LOST, surt.as_bytes());
                let depth = page.page.depth.saturating_add(1);
                let (priority, target) = (Priority::New(depth), Target::Page);
                let entry = QueueEntry { url: url.clone(), priority, depth, attempts: 0, target };
                context.repair.put(FRONTIER, &entry_key(url, priority), &encode_entry(&entry))?;
            }
            Ok(())
        })?;
        // The other lost URLs are known only by their fingerprint.
        self.found
            .iter()
            .filter(|found| !**found)
            .for_each(|_| context.report.add_without_example(SEEN, LOST));
        Ok(())
    }
}
