//! Every page stands where its next visit will be found: in the schedule at its time and with its depth, or in its
//! queue. The schedule knows no other time of a page, but for URLs put off before they had one; and neither schedule
//! nor queue takes a URL for one that was visited if it has no page.
//!
//! Most pages stand in one row of the schedule, or in one entry of the queue: those rows and the pages cancel each
//! other in the ledger, and only what is left is looked at one by one.

use rustc_hash::FxHashMap;

use super::super::queue::{Scheduled, brings_visit, encode_entry, schedule_key, split_scheduled};
use super::super::schema::{FRONTIER, PAGES, SCHEDULE};
use super::super::{StoreError, values};
use super::ledger::{Ledger, Slice, key_hash, row_number};
use super::pages::{url_of, walk_again};
use super::queue::{readable_page, sound_entry};
use super::{Check, SoundPage, Work};
use crate::frontier::QueuedUrl;
use crate::model::StoredPage;
use crate::urls::Surt;

pub(super) struct Standing {
    ledger: Ledger,
}

/// A page of a slice.
struct Page {
    next_visit: u64,
    /// As its row says.
    stored_next: u64,
    depth: u16,
    stands: bool,
}

/// Where the page of a row in the schedule stands, as far as there is one.
#[derive(Clone, Copy)]
enum Right {
    /// In this row, with this depth.
    Here(u16),
    /// At this time instead, with this depth: this row's was planned by a clock that was ahead, or is too far off.
    Earlier(u64, u16),
    /// Elsewhere.
    Elsewhere,
    NoPage,
}

impl Page {
    fn of_row(&self, time: u64) -> Right {
        match time {
            time if time == self.next_visit => Right::Here(self.depth),
            time if time == self.stored_next && self.next_visit != 0 => {
                Right::Earlier(self.next_visit, self.depth)
            }
            _ => Right::Elsewhere,
        }
    }
}

/// The number of a page's place in the schedule.
fn number(hash: u128, time: u64, depth: u16) -> u128 {
    row_number(hash, &[&time.to_be_bytes()[..], &depth.to_be_bytes()].concat())
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
                let StoredPage { next_visit, depth, .. } = page.page;
                let stored_next = page.stored_next;
                pages.insert(hash, Page { next_visit, stored_next, depth, stands: false });
            }
            Ok(())
        })?;
        work.each_row(SCHEDULE, "looking for them in the schedule", &mut |work, key, value| {
            let Ok((time, surt)) = split_scheduled(key) else { return Ok(()) };
            let hash = key_hash(surt);
            if !self.ledger.holds(slice, hash) {
                return Ok(());
            }
            let page = pages.get_mut(&hash);
            let right = page.as_ref().map_or(Right::NoPage, |page| page.of_row(time));
            // What cannot be read has been told of.
            let scheduled = Scheduled::decode(value).ok();
            if let (Some(page), Right::Here(_) | Right::Earlier(..)) = (page, right) {
                page.stands |= matches!(right, Right::Here(_)) || scheduled.is_some();
            }
            scheduled.map_or(Ok(()), |scheduled| mend(scheduled, right, (key, surt), work))
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

/// Mends a row of the schedule.
fn mend(
    scheduled: Scheduled,
    right: Right,
    (key, surt): (&[u8], &[u8]),
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let with_page = |depth| Scheduled { depth, pageless: false };
    match right {
        Right::Here(depth) if scheduled == with_page(depth) => return Ok(()),
        Right::Here(depth) => {
            work.report.add(SCHEDULE, "visits with another depth or mark than their page has", key);
            return work.mender.put(SCHEDULE, key, &with_page(depth).encode());
        }
        Right::Earlier(time, depth) => {
            work.report.add(
                SCHEDULE,
                "visits that are too far off, or were planned by a clock that was ahead",
                key,
            );
            work.mender.put(SCHEDULE, &schedule_key(time, surt), &with_page(depth).encode())?;
            return work.mender.delete(SCHEDULE, key);
        }
        _ if scheduled.pageless || url_of(surt).is_none() => return Ok(()),
        Right::Elsewhere => {
            work.report.add(SCHEDULE, "visits at another time than their page says", key);
            return work.mender.delete(SCHEDULE, key);
        }
        Right::NoPage => {}
    }
    work.report.add(SCHEDULE, "visits to pages that are not there", key);
    // The page is lost: its URL is visited at once, as one that has none.
    let at_once = schedule_key(1, surt);
    work.mender.put(SCHEDULE, &at_once, &Scheduled { pageless: true, ..scheduled }.encode())?;
    if key == at_once { Ok(()) } else { work.mender.delete(SCHEDULE, key) }
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
        self.ledger.want(hash, number(hash, page.page.next_visit, page.page.depth));
        Ok(())
    }

    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(SCHEDULE, "holding the schedule against pages", &mut |_, key, value| {
            // What cannot be read has been told of.
            if let (Ok((time, surt)), Ok(Scheduled { depth, pageless: false })) =
                (split_scheduled(key), Scheduled::decode(value))
            {
                let hash = key_hash(surt);
                self.ledger.meet(hash, number(hash, time, depth));
            }
            Ok(())
        })?;
        work.each_row(FRONTIER, "holding the queue against pages", &mut |work, key, value| {
            let Some(entry) = sound_entry(key, value).filter(brings_visit) else { return Ok(()) };
            let surt = Surt::from(&entry.url);
            if let Some(page) = readable_page(work, surt.as_bytes())? {
                let hash = key_hash(surt.as_bytes());
                self.ledger.meet(hash, number(hash, page.next_visit, page.depth));
            } else if entry.attempts > 0 {
                work.report.add(FRONTIER, "failed visits to pages that are not there", key);
                let entry = QueuedUrl { attempts: 0, ..entry };
                return work.mender.put(FRONTIER, key, &encode_entry(&entry));
            }
            Ok(())
        })?;
        for slice in self.ledger.slices() {
            self.settle_slice(&slice, work)?;
        }
        Ok(())
    }
}
