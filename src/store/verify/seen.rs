//! The files of the set of known URLs are what was written, and every page, and every URL that is queued or scheduled,
//! is in the set or on its way into it: else it would be met as new. The repair is to make the set anew.

use rustc_hash::FxHashSet;

use super::super::StoreError;
use super::super::queue::{split_scheduled, surt_in};
use super::super::schema::{FRONTIER, PAGES, SCHEDULE};
use super::super::seen::fingerprint;
use super::pages::url_of;
use super::queue::sound_entry;
use super::{Check, Work};
use crate::sieve::Candidate;

/// The name that findings give the set.
pub(super) const SEEN: &str = "seen";

/// Rows held against the set at once, at least.
const LEAST_ROWS: usize = 1_024;

pub(super) struct Seen {
    /// Rows held against the set at once: each is sorted in one list and copied to another.
    rows: usize,
}

impl Seen {
    pub fn new(memory_bytes: usize) -> Self {
        let rows = memory_bytes / (2 * size_of::<Candidate>());
        Self { rows: rows.clamp(LEAST_ROWS, u32::MAX as usize) }
    }

    fn look_through(&self, family: &'static str, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.begin("looking for pages and URLs to come in the set of known ones");
        let mut cursor = work.cursor(family)?;
        while let Some(first) = cursor.key().map(<[u8]>::to_vec) {
            let (mut candidates, mut rows) = (Vec::new(), 0);
            while let (Some(key), true) = (cursor.key(), rows < self.rows) {
                if let Ok(surt) = surt_in(family, key) {
                    candidates.push(Candidate { fingerprint: fingerprint(surt), place: 0 });
                }
                rows += 1;
                work.passed();
                cursor.next();
            }
            let unknown = work.writer.unknown(&mut candidates)?;
            if !unknown.is_empty() {
                name(family, &first, rows, &unknown, work)?;
            }
        }
        Ok(cursor.status()?)
    }
}

/// Reports those of the rows from `first` on whose URL is unknown. Rows that cannot be read have been told of.
fn name(
    family: &'static str,
    first: &[u8],
    rows: usize,
    unknown: &FxHashSet<u64>,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let mut cursor = work.cursor(family)?;
    cursor.seek(first);
    for _ in 0..rows {
        let Some((key, value)) = cursor.item() else { break };
        let is_sound = match family {
            FRONTIER => sound_entry(key, value).is_some(),
            SCHEDULE => split_scheduled(key).is_ok_and(|(_, surt)| url_of(surt).is_some()),
            _ => url_of(key).is_some(),
        };
        if let Ok(surt) = surt_in(family, key)
            && is_sound
            && unknown.contains(&fingerprint(surt))
        {
            work.report.add(SEEN, "pages, queued or scheduled URLs that are not known", surt);
        }
        cursor.next();
    }
    Ok(cursor.status()?)
}

impl Check for Seen {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.begin("reading the set of known URLs");
        if let Err(error) = work.writer.check() {
            work.report.add_shown(SEEN, "files that are damaged", || error.to_string());
            return Ok(());
        }
        [PAGES, FRONTIER, SCHEDULE].into_iter().try_for_each(|family| self.look_through(family, work))
    }
}
