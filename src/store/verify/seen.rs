//! The files of the set of known URLs are what was written; every page, and every URL that is queued or scheduled, is in
//! the set or on its way into it, else it would be met as new; and whatever is in the set is a page, or is queued or
//! scheduled, else it would never be fetched. The repair queues what pages link to, and makes the set anew, so that
//! the rest is new to whoever meets it.
//!
//! The set is sorted by fingerprint, all else is not: so the fingerprints are gone through in slices that fit the
//! memory, and the keys of pages, queue and schedule are read once for each.

use std::ops::RangeInclusive;

use super::super::StoreError;
use super::super::queue::{encode_entry, entry_key, known_in};
use super::super::schema::{FRONTIER, PAGES, SCHEDULE};
use super::super::seen::{fingerprint, fingerprint_of};
use super::pages::{url_of, walk_again};
use super::{Check, Work};
use crate::frontier::{Priority, QueuedUrl, Target};
use crate::urls::Surt;

/// The name that findings give the set.
pub(in crate::store) const SEEN: &str = "seen";

const STRANGE: &str = "pages, queued or scheduled URLs that are not known";
const LOST: &str = "known URLs that are no page, and neither queued nor scheduled";

/// Bytes of one fingerprint in a slice, with its mark, while the list of them grows.
const ROW_BYTES: usize = 24;
/// Fingerprints of a slice, at least.
const LEAST_ROWS: usize = 1_024;

pub(super) struct Seen {
    /// Fingerprints of a slice.
    rows: u64,
}

/// Some of the known URLs.
struct Slice {
    range: RangeInclusive<u64>,
    /// Their fingerprints, sorted.
    known: Vec<u64>,
    /// Which of them stand anywhere.
    stands: Vec<bool>,
}

impl Seen {
    pub fn new(memory_bytes: usize) -> Self {
        Self { rows: (memory_bytes / ROW_BYTES).max(LEAST_ROWS) as u64 }
    }
}

impl Check for Seen {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.begin("reading the set of known URLs");
        if let Err(error) = work.writer.check() {
            work.report.add_shown(SEEN, "files that are damaged", || error.to_string());
            return Ok(());
        }
        let mut waiting = work.writer.waiting();
        waiting.sort_unstable();
        // Fingerprints are evenly spread: equal parts of their space hold about as many each.
        let slices = work.writer.len() / self.rows + 1;
        let share = u64::MAX / slices;
        for number in 0..slices {
            let from = number * share;
            let to = if number + 1 == slices { u64::MAX } else { from + share - 1 };
            let known = work.writer.known(&(from..=to))?;
            let mut slice = Slice { range: from..=to, stands: vec![false; known.len()], known };
            [PAGES, FRONTIER, SCHEDULE]
                .into_iter()
                .try_for_each(|family| slice.look_through(family, &waiting, work))?;
            slice.settle(work)?;
        }
        Ok(())
    }
}

impl Slice {
    /// Holds a column family against the slice.
    fn look_through(
        &mut self,
        family: &'static str,
        waiting: &[u64],
        work: &mut Work<'_>,
    ) -> Result<(), StoreError> {
        let step = "holding pages and URLs to come against the set of known ones";
        work.each_row(family, step, &mut |work, key, _| {
            let Some(surt) = known_in(family, key) else { return Ok(()) };
            let fingerprint = fingerprint(surt);
            if self.range.contains(&fingerprint)
                && !self.mark(fingerprint)
                && waiting.binary_search(&fingerprint).is_err()
                // What is no URL has been told of.
                && url_of(surt).is_some()
            {
                work.report.add(SEEN, STRANGE, surt);
            }
            Ok(())
        })
    }

    /// Notes that a URL stands somewhere; tells whether it is known.
    fn mark(&mut self, fingerprint: u64) -> bool {
        let place = self.known.binary_search(&fingerprint);
        place.map(|at| self.stands[at] = true).is_ok()
    }

    /// Whether a URL is known, but was met nowhere yet.
    fn is_lost(&self, fingerprint: u64) -> bool {
        self.known.binary_search(&fingerprint).is_ok_and(|at| !self.stands[at])
    }

    /// Tells of the URLs that stand nowhere, and queues those that a page links to.
    fn settle(mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        if self.stands.iter().all(|stands| *stands) {
            return Ok(());
        }
        walk_again(work, "looking for links to known URLs that stand nowhere", &mut |page, work| {
            for url in page.links.iter().map(|link| &link.target).chain(&page.page.canonical) {
                let surt = Surt::from(url);
                let fingerprint = fingerprint_of(url, surt.as_bytes());
                if !self.is_lost(fingerprint) {
                    continue;
                }
                self.mark(fingerprint);
                work.report.add(SEEN, LOST, surt.as_bytes());
                let depth = page.page.depth.saturating_add(1);
                let (priority, target) = (Priority::New(depth), Target::Page);
                let entry = QueuedUrl { url: url.clone(), priority, depth, attempts: 0, target };
                work.mender.put(FRONTIER, &entry_key(url, priority), &encode_entry(&entry))?;
            }
            Ok(())
        })?;
        // Of the others nothing is left but a fingerprint.
        self.stands.iter().filter(|stands| !**stands).for_each(|_| work.report.add_nameless(SEEN, LOST));
        Ok(())
    }
}
