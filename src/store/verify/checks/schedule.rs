//! Every page is scheduled for its next visit, at its time and with its depth, or is in its queue. Imported pages that the
//! crawl does not know are the exception. The schedule has no other time for a page, except for URLs that were postponed
//! before they had a page. Neither schedule nor queue treats a URL without a page as a visited one.
//!
//! Most pages have one row in the schedule, or one entry in the queue. Those rows and the pages cancel each other in
//! the set hash. Only the rest is compared one by one.

use hashbrown::HashMap;

use crate::model::{QueueEntry, StoredPage};
use crate::store::codec::queue_entry::encode_entry;
use crate::store::codec::schedule_entry::{ScheduleEntry, schedule_key, split_schedule_key};
use crate::store::db::schema::{FRONTIER, PAGES, SCHEDULE};
use crate::store::queue::entries::is_revisit;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::{RepairedPage, canonical_url, scan_again};
use crate::store::verify::set_hash::{BucketedSetHash, Slice, key_hash, row_number};
use crate::store::{StoreError, codec};
use crate::urls::Surt;

use super::ConsistencyCheck;
use super::queue::{is_at_rest, readable_page, valid_entry};

pub(super) struct ScheduleCheck {
    set_hash: BucketedSetHash,
}

/// A page of a slice.
struct ScheduledPage {
    next_visit: u64,
    /// The next visit according to the stored row.
    stored_next: u64,
    depth: u16,
    is_found: bool,
}

/// Where the page of a row in the schedule must be scheduled.
#[derive(Clone, Copy)]
enum RowState {
    /// In this row, with this depth.
    Here(u16),
    /// At this time instead, with this depth. The time of this row was planned by a clock that was ahead, or is too
    /// far in the future.
    Earlier(u64, u16),
    /// In another row.
    Elsewhere,
    NoPage,
}

impl ScheduledPage {
    fn row_state(&self, time: u64) -> RowState {
        match time {
            time if time == self.next_visit => RowState::Here(self.depth),
            time if time == self.stored_next && self.next_visit != 0 => {
                RowState::Earlier(self.next_visit, self.depth)
            }
            _ => RowState::Elsewhere,
        }
    }
}

/// The number of a page's place in the schedule, for the set hash.
fn place_number(hash: u128, time: u64, depth: u16) -> u128 {
    row_number(hash, &[&time.to_be_bytes()[..], &depth.to_be_bytes()].concat())
}

impl ScheduleCheck {
    pub(super) fn new(memory_bytes: usize) -> Self {
        Self { set_hash: BucketedSetHash::new(memory_bytes) }
    }

    /// The pages of a slice by the hash of their key.
    fn read_pages(
        &self,
        slice: &Slice,
        context: &mut VerifyContext<'_>,
    ) -> Result<HashMap<u128, ScheduledPage>, StoreError> {
        let mut pages = HashMap::default();
        scan_again(context, "reading pages that are scheduled twice, or not at all", &mut |page, _| {
            let hash = key_hash(&page.key);
            if self.set_hash.contains(slice, hash) && !page.at_rest {
                let StoredPage { next_visit, depth, .. } = page.page;
                let stored_next = page.stored_next;
                pages.insert(hash, ScheduledPage { next_visit, stored_next, depth, is_found: false });
            }
            Ok(())
        })?;
        Ok(pages)
    }

    fn compare_slice(&self, slice: &Slice, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let mut pages = self.read_pages(slice, context)?;
        context.for_each_row(SCHEDULE, "looking for them in the schedule", &mut |context, key, value| {
            let Ok((time, surt)) = split_schedule_key(key) else { return Ok(()) };
            let hash = key_hash(surt);
            if !self.set_hash.contains(slice, hash) {
                return Ok(());
            }
            let page = pages.get_mut(&hash);
            let state = page.as_ref().map_or(RowState::NoPage, |page| page.row_state(time));
            // Unreadable rows were reported before.
            let scheduled = ScheduleEntry::decode(value).ok();
            if let (Some(page), RowState::Here(_) | RowState::Earlier(..)) = (page, state) {
                page.is_found |= matches!(state, RowState::Here(_)) || scheduled.is_some();
            }
            scheduled.map_or(Ok(()), |scheduled| repair_row(scheduled, state, (key, surt), context))
        })?;
        context.for_each_row(FRONTIER, "looking for them in the queue", &mut |_, key, value| {
            if let Some(entry) = valid_entry(key, value).filter(is_revisit)
                && let Some(page) = pages.get_mut(&key_hash(Surt::from(&entry.url).as_bytes()))
            {
                page.is_found = true;
            }
            Ok(())
        })?;
        pages.retain(|_, page| !page.is_found);
        if pages.is_empty() {
            return Ok(());
        }
        scan_again(context, "scheduling pages that are neither queued nor scheduled", &mut |page, context| {
            if pages.contains_key(&key_hash(&page.key)) { schedule_page(page, context) } else { Ok(()) }
        })
    }
}

/// Repairs a row of the schedule.
fn repair_row(
    scheduled: ScheduleEntry,
    state: RowState,
    (key, surt): (&[u8], &[u8]),
    context: &mut VerifyContext<'_>,
) -> Result<(), StoreError> {
    let with_page = |depth| ScheduleEntry { depth, pageless: false };
    match state {
        RowState::Here(depth) if scheduled == with_page(depth) => return Ok(()),
        RowState::Here(depth) => {
            context.report.add(SCHEDULE, "visits with another depth or mark than their page has", key);
            return context.repair.put(SCHEDULE, key, &with_page(depth).encode());
        }
        RowState::Earlier(time, depth) => {
            context.report.add(
                SCHEDULE,
                "visits that are too far off, or were planned by a clock that was ahead",
                key,
            );
            context.repair.put(SCHEDULE, &schedule_key(time, surt), &with_page(depth).encode())?;
            return context.repair.delete(SCHEDULE, key);
        }
        _ if scheduled.pageless || canonical_url(surt).is_none() => return Ok(()),
        RowState::Elsewhere => {
            context.report.add(SCHEDULE, "visits at another time than their page says", key);
            return context.repair.delete(SCHEDULE, key);
        }
        RowState::NoPage => {}
    }
    context.report.add(SCHEDULE, "visits to pages that are not there", key);
    // The page is lost. Its URL is visited at once, as a URL without a page.
    let at_once = schedule_key(1, surt);
    context.repair.put(SCHEDULE, &at_once, &ScheduleEntry { pageless: true, ..scheduled }.encode())?;
    if key == at_once { Ok(()) } else { context.repair.delete(SCHEDULE, key) }
}

/// Schedules a page for its next visit. If that is unknown, the page is due since its last visit.
fn schedule_page(
    RepairedPage { key, page, .. }: &RepairedPage,
    context: &mut VerifyContext<'_>,
) -> Result<(), StoreError> {
    let mut time = page.next_visit;
    if time == 0 {
        time = page.visited.max(1);
        context.report.add(PAGES, "pages that are neither queued nor scheduled", key);
        let page = StoredPage { next_visit: time, ..page.clone() };
        context.repair.put(PAGES, key, &codec::encode_page(&page))?;
    } else {
        context.report.add(SCHEDULE, "visits that are missing", &schedule_key(time, key));
    }
    let scheduled = ScheduleEntry { depth: page.depth, pageless: false };
    context.repair.put(SCHEDULE, &schedule_key(time, key), &scheduled.encode())
}

impl ConsistencyCheck for ScheduleCheck {
    fn add_page(&mut self, page: &RepairedPage, _context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        if page.at_rest {
            return Ok(());
        }
        let hash = key_hash(&page.key);
        self.set_hash.expect_row(hash, place_number(hash, page.page.next_visit, page.page.depth));
        Ok(())
    }

    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.for_each_row(SCHEDULE, "comparing the schedule with pages", &mut |_, key, value| {
            // Unreadable rows were reported before.
            if let (Ok((time, surt)), Ok(ScheduleEntry { depth, pageless: false })) =
                (split_schedule_key(key), ScheduleEntry::decode(value))
            {
                let hash = key_hash(surt);
                self.set_hash.observe_row(hash, place_number(hash, time, depth));
            }
            Ok(())
        })?;
        context.for_each_row(FRONTIER, "comparing the queue with pages", &mut |context, key, value| {
            let Some(entry) = valid_entry(key, value).filter(is_revisit) else { return Ok(()) };
            let surt = Surt::from(&entry.url);
            if let Some(page) = readable_page(context, surt.as_bytes())? {
                if page.next_visit == 0 && is_at_rest(context, surt.as_bytes())? {
                    return Ok(());
                }
                let hash = key_hash(surt.as_bytes());
                self.set_hash.observe_row(hash, place_number(hash, page.next_visit, page.depth));
            } else if entry.attempts > 0 {
                context.report.add(FRONTIER, "failed visits to pages that are not there", key);
                let entry = QueueEntry { attempts: 0, ..entry };
                return context.repair.put(FRONTIER, key, &encode_entry(&entry));
            }
            Ok(())
        })?;
        for slice in self.set_hash.slices() {
            self.compare_slice(&slice, context)?;
        }
        Ok(())
    }
}
