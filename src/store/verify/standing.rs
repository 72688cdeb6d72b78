//! Every page stands where its next visit will be found: in the schedule at its time, or in its queue. The schedule
//! knows no other time of a page, but for URLs put off before they had one.
//!
//! Most pages stand in one row of the schedule, or in one entry of the queue: those rows and the pages cancel each
//! other in the ledger, and only what is left is looked at one by one.

use rustc_hash::FxHashMap;

use super::super::queue::{Scheduled, brings_visit, schedule_key, split_scheduled};
use super::super::schema::{FRONTIER, PAGES, SCHEDULE};
use super::super::{StoreError, page_from, values};
use super::ledger::{Ledger, Slice, key_hash, row_number};
use super::pages::walk_again;
use super::queue::sound_entry;
use super::{Check, SoundPage, Work};
use crate::model::StoredPage;
use crate::urls::Surt;

pub(super) struct Standing {
    ledger: Ledger,
}

/// A page of a slice.
struct Page {
    next_visit: u64,
    stands: bool,
}

fn number(hash: u128, time: u64) -> u128 {
    row_number(hash, &time.to_be_bytes())
}

impl Standing {
    pub fn new(memory_bytes: usize) -> Self {
        Self { ledger: Ledger::new(memory_bytes) }
    }

    fn settle_slice(&self, slice: &Slice, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut pages: FxHashMap<u128, Page> = FxHashMap::default();
        walk_again(work, "reading pages with several places, or none", &mut |page, _| {
            let hash = key_hash(&page.key);
            if self.ledger.holds(slice, hash) {
                pages.insert(hash, Page { next_visit: page.page.next_visit, stands: false });
            }
            Ok(())
        })?;
        work.each_row(SCHEDULE, "looking for them in the schedule", &mut |work, key, value| {
            let Ok((time, surt)) = split_scheduled(key) else { return Ok(()) };
            let Some(page) = pages.get_mut(&key_hash(surt)) else { return Ok(()) };
            if page.next_visit == time {
                page.stands = true;
            } else if Scheduled::decode(value).is_ok_and(|scheduled| !scheduled.pageless) {
                work.report.add(SCHEDULE, "visits at another time than their page says", key);
                return work.mender.delete(SCHEDULE, key);
            }
            Ok(())
        })?;
        work.each_row(FRONTIER, "looking for them in the queue", &mut |_, key, value| {
            if let Some(entry) = sound_entry(key, value).filter(brings_visit)
                && let Some(page) = pages.get_mut(&key_hash(Surt::from(&entry.url).as_bytes()))
            {
                page.stands = true;
            }
            Ok(())
        })?;
        pages.retain(|_, page| !page.stands);
        if pages.is_empty() {
            return Ok(());
        }
        walk_again(work, "scheduling pages that stand nowhere", &mut |page, work| {
            if pages.contains_key(&key_hash(&page.key)) { schedule(page, work) } else { Ok(()) }
        })
    }
}

/// Has a page visited when it was to be, and at once if that is not known: as of its last visit.
fn schedule(SoundPage { key, page, .. }: &SoundPage, work: &mut Work<'_>) -> Result<(), StoreError> {
    let mut time = page.next_visit;
    if time == 0 {
        time = page.visited.max(1);
        work.report.add(PAGES, "pages that are neither queued nor scheduled", key);
        let page = StoredPage { next_visit: time, ..page.clone() };
        work.mender.put(PAGES, key, &values::encode_page(&page))?;
    } else {
        work.report.add(SCHEDULE, "visits that are missing", &schedule_key(time, key));
    }
    let scheduled = Scheduled { depth: page.depth, pageless: false };
    work.mender.put(SCHEDULE, &schedule_key(time, key), &scheduled.encode())
}

impl Check for Standing {
    fn page(&mut self, page: &SoundPage, _work: &mut Work<'_>) -> Result<(), StoreError> {
        let hash = key_hash(&page.key);
        self.ledger.want(hash, number(hash, page.page.next_visit));
        Ok(())
    }

    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(SCHEDULE, "holding the schedule against pages", &mut |_, key, value| {
            let pageless = Scheduled::decode(value).is_ok_and(|scheduled| scheduled.pageless);
            if let (Ok((time, surt)), false) = (split_scheduled(key), pageless) {
                let hash = key_hash(surt);
                self.ledger.meet(hash, number(hash, time));
            }
            Ok(())
        })?;
        work.each_row(FRONTIER, "holding the queue against pages", &mut |work, key, value| {
            let Some(entry) = sound_entry(key, value).filter(brings_visit) else { return Ok(()) };
            let surt = Surt::from(&entry.url);
            // A page that cannot be read has been told of.
            if let Ok(Some(page)) = page_from(surt.as_bytes(), work.snapshot.get(PAGES, surt.as_bytes())?) {
                let hash = key_hash(surt.as_bytes());
                self.ledger.meet(hash, number(hash, page.next_visit));
            }
            Ok(())
        })?;
        for slice in self.ledger.slices() {
            self.settle_slice(&slice, work)?;
        }
        Ok(())
    }
}
