//! The schedule: URLs with the time of their next visit, on disk. When a URL is due, it moves to its queue.

use crate::model::{Arrival, CLOCK_ERROR, Priority, QueueEntry, StoredPage, Target};
use crate::policy::VisitTimes;
use crate::store::codec::schedule_entry::{ScheduleEntry, schedule_key, split_schedule_key};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{PAGES, SCHEDULE};
use crate::store::{Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Surt};

use super::arrivals::ArrivalSet;

impl Store {
    pub(in crate::store) fn put_scheduled(
        &self,
        batch: &mut RowBatch<'_>,
        time: u64,
        surt: &[u8],
        scheduled: ScheduleEntry,
    ) -> Result<(), StoreError> {
        batch.put(SCHEDULE, schedule_key(time, surt), scheduled.encode())
    }

    pub(in crate::store) fn delete_scheduled(
        &self,
        batch: &mut RowBatch<'_>,
        time: u64,
        surt: &[u8],
    ) -> Result<(), StoreError> {
        if time != 0 {
            batch.delete(SCHEDULE, schedule_key(time, surt))?;
        }
        Ok(())
    }

    /// Schedules a URL that was not fetched for `next`. Its page, if it has one, keeps all other data.
    pub(in crate::store) fn postpone(
        &self,
        batch: &mut RowBatch<'_>,
        url: &CanonicalUrl,
        depth: u16,
        next: u64,
    ) -> Result<(), StoreError> {
        let surt = Surt::from(url);
        let page = self.read_page(surt.as_bytes())?;
        let scheduled = ScheduleEntry { depth, pageless: page.is_none() };
        if let Some(mut page) = page {
            self.delete_scheduled(batch, page.next_visit, surt.as_bytes())?;
            (page.next_visit, page.depth) = (next, depth);
            batch.put(PAGES, surt.as_bytes(), codec::encode_page(&page))?;
        }
        self.put_scheduled(batch, next, surt.as_bytes(), scheduled)
    }

    /// Moves up to `most` URLs that are due at `now` from the schedule to the queue. Returns the queues that they
    /// entered, and their number.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn take_due(&self, now: u64, most: usize) -> Result<(Vec<Arrival>, usize), StoreError> {
        let _writer = self.lock_writes();
        let mut batch = self.batch();
        let (mut arrivals, mut count) = (ArrivalSet::default(), 0);
        let end = now.checked_add(1).map(|end| end.to_be_bytes().to_vec());
        let mut cursor = self.cursor_before(SCHEDULE, end)?;
        cursor.seek_to_first();
        while let (Some((key, value)), true) = (cursor.item(), count < most) {
            let damaged = |what| StoreError::damaged(SCHEDULE, key, what);
            let (due, surt) = split_schedule_key(key)?;
            let url = Surt::bytes_to_url(surt).map_err(|_| damaged("the URL"))?;
            let depth = ScheduleEntry::decode(value).map_err(|damage| damaged(damage.0))?.depth;
            let (priority, target) = (Priority::revisit(due), Target::Page);
            let entry = QueueEntry { url, priority, depth, attempts: 0, target };
            batch.delete(SCHEDULE, key)?;
            self.put_entry(&mut batch, &entry)?;
            arrivals.add(entry);
            count += 1;
            cursor.next();
        }
        cursor.status()?;
        self.write(batch)?;
        Ok((arrivals.into_vec(), count))
    }

    /// Moves up to `most` URLs that are scheduled later than any rule plans to the time at which they are due: to the
    /// queue, or to an earlier time in the schedule. They were scheduled while the clock was ahead, or while
    /// `crawl.recrawl_max` was longer. Without this, they would wait as long. Returns the queues that some entered,
    /// and the number of moved URLs.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn reschedule_far(&self, now: u64, most: usize) -> Result<(Vec<Arrival>, usize), StoreError> {
        let _writer = self.lock_writes();
        let longest = self.revisit_rules().longest();
        let latest = now.saturating_add(longest).saturating_add(CLOCK_ERROR);
        let mut batch = self.batch();
        let (mut arrivals, mut count) = (ArrivalSet::default(), 0);
        let mut cursor = self.cursor(SCHEDULE)?;
        cursor.seek(schedule_key(latest.saturating_add(1), &[]));
        while let (Some((key, value)), true) = (cursor.item(), count < most) {
            let damaged = |what| StoreError::damaged(SCHEDULE, key, what);
            let (time, surt) = split_schedule_key(key)?;
            let scheduled = ScheduleEntry::decode(value).map_err(|damage| damaged(damage.0))?;
            let page = self.read_page(surt)?;
            let last = page.as_ref().map_or(now, |page| page.visited);
            let due = VisitTimes { next: time, last }.clamped_next(longest, now);
            batch.delete(SCHEDULE, key)?;
            if due <= now {
                let url = Surt::bytes_to_url(surt).map_err(|_| damaged("the URL"))?;
                let (priority, target, depth) = (Priority::revisit(due), Target::Page, scheduled.depth);
                let entry = QueueEntry { url, priority, depth, attempts: 0, target };
                self.put_entry(&mut batch, &entry)?;
                arrivals.add(entry);
            } else {
                self.put_scheduled(&mut batch, due, surt, scheduled)?;
            }
            if let Some(page) = page.filter(|page| page.next_visit == time) {
                let page = StoredPage { next_visit: due, ..page };
                batch.put(PAGES, surt, codec::encode_page(&page))?;
            }
            count += 1;
            cursor.next();
        }
        cursor.status()?;
        self.write(batch)?;
        Ok((arrivals.into_vec(), count))
    }

    /// The Unix time at which the first URL of the schedule is due.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let mut cursor = self.cursor(SCHEDULE)?;
        cursor.seek_to_first();
        let time = cursor.key().map(|key| split_schedule_key(key).map(|(time, _)| time)).transpose()?;
        cursor.status()?;
        Ok(time)
    }
}
