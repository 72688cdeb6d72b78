//! The queue of URLs to fetch, and the schedule of those to visit again, on disk.
//!
//! Each scheme, host and port has its own queue, in order of priority. A URL leaves the queue in the batch that
//! stores its page, so a crash costs no URL and repeats at most those that were in flight. In the same batch it
//! enters the schedule; when its time has come it moves from there to the queue. A page stands in one of the two;
//! in both, or in the queue twice, when it was wanted again while it stood there.

use rocksdb::WriteBatch;

use crate::frontier::{Arrival, Found, Lane, Priority, QueueName, QueuedUrl, Target, due_visit};
use crate::model::{CLOCK_ERROR, StoredPage};
use crate::urls::{CanonicalUrl, Surt};

use super::codec::{Damage, Reader, put_varint};
use super::keys::after_prefix;
use super::schema::{FRONTIER, PAGES, SCHEDULE, bounded};
use super::seen::{Arrivals, Staged, Writer};
use super::sitemaps::SitemapRows;
use super::{Store, StoreError, values};

pub(super) fn entry_key(url: &CanonicalUrl, priority: Priority) -> Vec<u8> {
    let surt = Surt::from(url);
    let name = QueueName::of_surt(surt.as_bytes());
    let mut key = Vec::with_capacity(name.as_bytes().len() + 5 + surt.as_bytes().len());
    key.extend_from_slice(name.as_bytes());
    values::put_priority(&mut key, priority);
    key.extend_from_slice(surt.as_bytes());
    key
}

/// Queue name, priority and sortable URL of an entry's key.
pub(super) fn split_entry(key: &[u8]) -> Result<(&[u8], Priority, &[u8]), StoreError> {
    entry_parts(key).map_err(|damage| StoreError::damaged(FRONTIER, key, damage.0))
}

/// As [`split_entry`].
pub(super) fn entry_parts(key: &[u8]) -> Result<(&[u8], Priority, &[u8]), Damage> {
    let (name, rest) = Surt::split_first(key).map_err(|_| Damage("the queue"))?;
    let mut reader = Reader(rest);
    let priority = values::priority(&mut reader)?;
    Ok((name, priority, reader.0))
}

pub(super) fn encode_entry(entry: &QueuedUrl) -> Vec<u8> {
    let mut value = Vec::with_capacity(3);
    put_varint(&mut value, u64::from(entry.attempts));
    put_varint(&mut value, u64::from(entry.depth));
    values::put_target(&mut value, &entry.target);
    values::put_grant(&mut value, &entry.target);
    value
}

pub(super) fn decode_entry(key: &[u8], value: &[u8]) -> Result<QueuedUrl, StoreError> {
    let damaged = |damage: Damage| StoreError::damaged(FRONTIER, key, damage.0);
    let (_, priority, surt) = split_entry(key)?;
    let url = Surt::bytes_to_url(surt).map_err(|_| damaged(Damage("the URL")))?;
    let mut reader = Reader(value);
    let attempts = reader.u32("the attempts").map_err(damaged)?;
    let depth = depth(&mut reader).map_err(damaged)?;
    let mut target = values::target(&mut reader).map_err(damaged)?;
    values::read_grant(&mut reader, &mut target).map_err(damaged)?;
    reader.end().map_err(damaged)?;
    Ok(QueuedUrl { url, priority, depth, attempts, target })
}

fn depth(reader: &mut Reader<'_>) -> Result<u16, Damage> {
    u16::try_from(reader.varint("the depth")?).map_err(|_| Damage("the depth"))
}

pub(super) fn schedule_key(time: u64, surt: &[u8]) -> Vec<u8> {
    [&time.to_be_bytes(), surt].concat()
}

/// The time and the sortable URL of a key of the schedule.
pub(super) fn split_scheduled(key: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    scheduled_parts(key).ok_or_else(|| StoreError::damaged(SCHEDULE, key, "the time"))
}

/// As [`split_scheduled`].
pub(super) fn scheduled_parts(key: &[u8]) -> Option<(u64, &[u8])> {
    let (time, surt) = key.split_first_chunk()?;
    Some((u64::from_be_bytes(*time), surt))
}

/// What a row of the schedule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheduled {
    pub depth: u16,
    /// Whether the URL had no page when it was scheduled. It may have got one since, with another time of its own.
    pub pageless: bool,
}

/// The mark of a URL without a page, after the depth.
const PAGELESS: u8 = 1;

impl Scheduled {
    pub fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(2);
        put_varint(&mut value, u64::from(self.depth));
        value.extend(self.pageless.then_some(PAGELESS));
        value
    }

    pub fn decode(value: &[u8]) -> Result<Self, Damage> {
        let mut reader = Reader(value);
        let depth = depth(&mut reader)?;
        let pageless = match reader.0 {
            [] => false,
            [PAGELESS] => true,
            _ => return Err(Damage("the mark of a URL without a page")),
        };
        Ok(Self { depth, pageless })
    }
}

/// Whether an entry of the queue will bring a visit to a URL that has a page already. One of a new page will not.
pub(super) fn brings_visit(entry: &QueuedUrl) -> bool {
    entry.target == Target::Page && (entry.attempts > 0 || !entry.priority.is_new_page())
}

/// The sortable URL in a key of the pages, the queue or the schedule, if it is to be in the set of known ones: that of
/// a sitemap is not.
pub(super) fn known_in<'k>(family: &'static str, key: &'k [u8]) -> Option<&'k [u8]> {
    match family {
        FRONTIER => split_entry(key)
            .ok()
            .filter(|(_, priority, _)| *priority != Priority::Sitemap)
            .map(|(.., surt)| surt),
        SCHEDULE => split_scheduled(key).ok().map(|(_, surt)| surt),
        _ => Some(key),
    }
}

impl Store {
    /// Adds URLs to a batch: those wanted again to their queues, the rest to those that wait to be held against
    /// the set of known ones. `unasked`: pages stored without having been queued, which are to be known too.
    pub(super) fn stage_found(
        &self,
        batch: &mut WriteBatch,
        sitemaps: &mut SitemapRows,
        writer: &Writer,
        found: Vec<Found>,
        unasked: Vec<CanonicalUrl>,
    ) -> Result<(Staged, Vec<Arrival>), StoreError> {
        let (mut staged, mut arrivals) = (Staged::default(), Arrivals::default());
        for url in unasked {
            let found = Found::page(url, 0);
            writer.meet(&mut staged, &found, true);
        }
        for found in found {
            let again = found.is_wanted_again();
            // A sitemap leaves nothing behind; were its URL known, no link could lead to it as to a page.
            if found.target == Target::Page {
                writer.meet(&mut staged, &found, again);
            }
            if again {
                let surt = Surt::from(&found.url);
                // A sitemap is no visit to the page of the same URL.
                if found.target == Target::Page
                    && let Some(page) = self.read_page(surt.as_bytes())?
                {
                    self.stage_unscheduled(batch, page.next_visit, surt.as_bytes())?;
                }
                let Found { url, priority, depth, target } = found;
                let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
                if !sitemaps.add(self, &entry)? {
                    self.stage_entry(batch, &entry)?;
                }
                arrivals.add(entry);
            }
        }
        writer.stage(self, batch, &staged)?;
        Ok((staged, arrivals.into_vec()))
    }

    pub(super) fn stage_entry(&self, batch: &mut WriteBatch, entry: &QueuedUrl) -> Result<(), StoreError> {
        let key = entry_key(&entry.url, entry.priority);
        batch.put_cf(self.family(FRONTIER)?, key, encode_entry(entry));
        Ok(())
    }

    pub(super) fn stage_off(&self, batch: &mut WriteBatch, entry: &QueuedUrl) -> Result<(), StoreError> {
        batch.delete_cf(self.family(FRONTIER)?, entry_key(&entry.url, entry.priority));
        Ok(())
    }

    pub(super) fn stage_scheduled(
        &self,
        batch: &mut WriteBatch,
        time: u64,
        surt: &[u8],
        scheduled: Scheduled,
    ) -> Result<(), StoreError> {
        batch.put_cf(self.family(SCHEDULE)?, schedule_key(time, surt), scheduled.encode());
        Ok(())
    }

    pub(super) fn stage_unscheduled(
        &self,
        batch: &mut WriteBatch,
        time: u64,
        surt: &[u8],
    ) -> Result<(), StoreError> {
        if time != 0 {
            batch.delete_cf(self.family(SCHEDULE)?, schedule_key(time, surt));
        }
        Ok(())
    }

    /// Has another look at a URL that was not fetched at `next`. Its page, if it has one, stays as it is.
    pub(super) fn stage_put_off(
        &self,
        batch: &mut WriteBatch,
        url: &CanonicalUrl,
        depth: u16,
        next: u64,
    ) -> Result<(), StoreError> {
        let surt = Surt::from(url);
        let page = self.read_page(surt.as_bytes())?;
        let scheduled = Scheduled { depth, pageless: page.is_none() };
        if let Some(mut page) = page {
            self.stage_unscheduled(batch, page.next_visit, surt.as_bytes())?;
            (page.next_visit, page.depth) = (next, depth);
            batch.put_cf(self.family(PAGES)?, surt.as_bytes(), values::encode_page(&page));
        }
        self.stage_scheduled(batch, next, surt.as_bytes(), scheduled)
    }

    /// Moves URLs whose next visit is due at `now`, `most` at most, from the schedule to the queue. Gives back the
    /// queues they came into, and how many they are.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn take_due(&self, now: u64, most: usize) -> Result<(Vec<Arrival>, usize), StoreError> {
        let _writer = self.lock();
        let mut batch = WriteBatch::default();
        let (mut arrivals, mut count) = (Arrivals::default(), 0);
        let end = now.checked_add(1).map(|end| end.to_be_bytes().to_vec());
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(SCHEDULE)?, bounded(end));
        cursor.seek_to_first();
        while let (Some((key, value)), true) = (cursor.item(), count < most) {
            let damaged = |what| StoreError::damaged(SCHEDULE, key, what);
            let (due, surt) = split_scheduled(key)?;
            let url = Surt::bytes_to_url(surt).map_err(|_| damaged("the URL"))?;
            let depth = Scheduled::decode(value).map_err(|damage| damaged(damage.0))?.depth;
            let (priority, target) = (Priority::again(due), Target::Page);
            let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
            batch.delete_cf(self.family(SCHEDULE)?, key);
            self.stage_entry(&mut batch, &entry)?;
            arrivals.add(entry);
            count += 1;
            cursor.next();
        }
        cursor.status()?;
        self.write(batch)?;
        Ok((arrivals.into_vec(), count))
    }

    /// Moves URLs whose next visit is further off than any is planned for, `most` at most, to the time at which they
    /// are due: to the queue, or forward in the schedule. They were scheduled while the clock ran ahead or
    /// `crawl.recrawl_max` was longer, and would not be visited for as long. Gives back the queues that some came into,
    /// and how many were moved.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn recall_far(&self, now: u64, most: usize) -> Result<(Vec<Arrival>, usize), StoreError> {
        let _writer = self.lock();
        let longest = self.recrawl().longest();
        let latest = now.saturating_add(longest).saturating_add(CLOCK_ERROR);
        let mut batch = WriteBatch::default();
        let (mut arrivals, mut count) = (Arrivals::default(), 0);
        let mut cursor = self.db.raw_iterator_cf(self.family(SCHEDULE)?);
        cursor.seek(schedule_key(latest.saturating_add(1), &[]));
        while let (Some((key, value)), true) = (cursor.item(), count < most) {
            let damaged = |what| StoreError::damaged(SCHEDULE, key, what);
            let (time, surt) = split_scheduled(key)?;
            let scheduled = Scheduled::decode(value).map_err(|damage| damaged(damage.0))?;
            let page = self.read_page(surt)?;
            let due = due_visit(time, page.as_ref().map_or(now, |page| page.visited), longest, now);
            batch.delete_cf(self.family(SCHEDULE)?, key);
            if due <= now {
                let url = Surt::bytes_to_url(surt).map_err(|_| damaged("the URL"))?;
                let (priority, target, depth) = (Priority::again(due), Target::Page, scheduled.depth);
                let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
                self.stage_entry(&mut batch, &entry)?;
                arrivals.add(entry);
            } else {
                self.stage_scheduled(&mut batch, due, surt, scheduled)?;
            }
            if let Some(page) = page.filter(|page| page.next_visit == time) {
                let page = StoredPage { next_visit: due, ..page };
                batch.put_cf(self.family(PAGES)?, surt, values::encode_page(&page));
            }
            count += 1;
            cursor.next();
        }
        cursor.status()?;
        self.write(batch)?;
        Ok((arrivals.into_vec(), count))
    }

    /// When the first URL of the schedule is due, in Unix time.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let mut cursor = self.db.raw_iterator_cf(self.family(SCHEDULE)?);
        cursor.seek_to_first();
        let time = cursor.key().map(|key| split_scheduled(key).map(|(time, _)| time)).transpose()?;
        cursor.status()?;
        Ok(time)
    }

    /// Up to `most` queues that hold URLs, in key order, strictly after the queue `after`; each with its first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn queues(&self, after: Option<&QueueName>, most: usize) -> Result<Vec<Arrival>, StoreError> {
        let mut queues = Vec::new();
        let mut cursor = self.db.raw_iterator_cf(self.family(FRONTIER)?);
        match after {
            None => cursor.seek_to_first(),
            Some(name) => match after_prefix(name.as_bytes()) {
                Some(next) => cursor.seek(next),
                None => return Ok(queues),
            },
        }
        while let (Some(key), true) = (cursor.key(), queues.len() < most) {
            let (name, priority, surt) = split_entry(key)?;
            let url = Surt::bytes_to_url(surt).map_err(|_| StoreError::damaged(FRONTIER, key, "the URL"))?;
            let next = after_prefix(name);
            queues.push(Arrival { queue: QueueName::from_stored(name), url, priority });
            match next {
                Some(next) => cursor.seek(next),
                None => break,
            }
        }
        cursor.status()?;
        Ok(queues)
    }

    /// Up to `most` URLs of a queue's lane in its order, strictly after the URL `after`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn queued(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        let from = |lane| [queue.as_bytes(), &[values::lane_start(lane)]].concat();
        let end = match lane {
            Lane::Wanted => Some(from(Lane::New)),
            Lane::New => after_prefix(queue.as_bytes()),
        };
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(FRONTIER)?, bounded(end));
        match after.map(|entry| entry_key(&entry.url, entry.priority)) {
            None => cursor.seek(from(lane)),
            Some(after) => {
                cursor.seek(&after);
                if cursor.key() == Some(&after) {
                    cursor.next();
                }
            }
        }
        let mut entries = Vec::new();
        while let (Some((key, value)), true) = (cursor.item(), entries.len() < most) {
            entries.push(decode_entry(key, value)?);
            cursor.next();
        }
        cursor.status()?;
        Ok(entries)
    }

    /// URLs in one queue.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn queue_length_of(&self, queue: &QueueName) -> Result<u64, StoreError> {
        self.entries_below(queue.as_bytes())
    }

    /// URLs in all queues.
    pub(super) fn queue_length(&self) -> Result<u64, StoreError> {
        self.entries_below(&[])
    }

    fn entries_below(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(FRONTIER)?, bounded(after_prefix(prefix)));
        cursor.seek(prefix);
        let mut count = 0;
        while cursor.valid() {
            count += 1;
            cursor.next();
        }
        cursor.status()?;
        Ok(count)
    }

    /// The entry of a URL in its queue, if it waits there. Reads its queue up to it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn entry_of(&self, url: &CanonicalUrl) -> Result<Option<QueuedUrl>, StoreError> {
        let (queue, surt) = (QueueName::of(url), Surt::from(url));
        let mut cursor =
            self.db.raw_iterator_cf_opt(self.family(FRONTIER)?, bounded(after_prefix(queue.as_bytes())));
        cursor.seek(queue.as_bytes());
        while let Some((key, value)) = cursor.item() {
            if split_entry(key)?.2 == surt.as_bytes() {
                return decode_entry(key, value).map(Some);
            }
            cursor.next();
        }
        cursor.status()?;
        Ok(None)
    }
}
