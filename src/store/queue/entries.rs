//! The queue of URLs to fetch, on disk.
//!
//! Each scheme, host and port has its own queue, in order of priority. A URL leaves the queue in the batch that stores
//! its page. So a crash loses no URL, and repeats at most the fetches in flight. The same batch adds the URL to the
//! schedule, which returns it to the queue when it is due.
//!
//! A page is in the queue or in the schedule. It is in both, or in the queue twice, if another visit was requested
//! meanwhile.

use crate::model::{Arrival, DiscoveredUrl, Lane, QueueEntry, QueueName, Target};
use crate::store::codec::keys::after_prefix;
use crate::store::codec::queue_entry::{decode_entry, encode_entry, entry_key, split_entry_key};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::FRONTIER;
use crate::store::{Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Surt};

use super::arrivals::ArrivalSet;
use super::seen_set::{UnmergedRow, WriteState};
use super::sitemaps::SitemapRows;

/// Keys read between two checks for an abort.
const KEYS_PER_CHECK: u64 = 512;

/// Whether an entry of the queue is a visit to a URL that has a page already. An entry for a new page is not.
pub(in crate::store) fn is_revisit(entry: &QueueEntry) -> bool {
    entry.target == Target::Page && (entry.attempts > 0 || !entry.priority.is_new_page())
}

impl Store {
    /// Adds discovered URLs to a batch: seeds, sitemaps and due pages to their queues, new pages to the unmerged URLs.
    /// `never_queued` are pages that were stored without having been queued. The merge adds them to the seen set and
    /// queues none.
    pub(in crate::store) fn add_discovered(
        &self,
        batch: &mut RowBatch<'_>,
        sitemaps: &mut SitemapRows,
        writer: &WriteState,
        found: Vec<DiscoveredUrl>,
        never_queued: Vec<CanonicalUrl>,
    ) -> Result<(UnmergedRow, Vec<Arrival>), StoreError> {
        let (mut unmerged_row, mut arrivals) = (UnmergedRow::default(), ArrivalSet::default());
        for url in never_queued {
            let found = DiscoveredUrl::page(url, 0);
            writer.add_unmerged(&mut unmerged_row, &found, true);
        }
        for found in found {
            let again = found.bypasses_seen_set();
            // A sitemap is not added to the seen set: otherwise no link to the same URL could queue it as a page.
            if found.target == Target::Page {
                writer.add_unmerged(&mut unmerged_row, &found, again);
            }
            if again {
                let surt = Surt::from(&found.url);
                // A sitemap is no visit to the page of the same URL.
                if found.target == Target::Page
                    && let Some(page) = self.read_page(surt.as_bytes())?
                {
                    self.delete_scheduled(batch, page.next_visit, surt.as_bytes())?;
                }
                let DiscoveredUrl { url, priority, depth, target } = found;
                let entry = QueueEntry { url, priority, depth, attempts: 0, target };
                if !sitemaps.add(self, &entry)? {
                    self.put_entry(batch, &entry)?;
                }
                arrivals.add(entry);
            }
        }
        writer.put_unmerged_row(batch, &unmerged_row)?;
        Ok((unmerged_row, arrivals.into_vec()))
    }

    pub(in crate::store) fn put_entry(
        &self,
        batch: &mut RowBatch<'_>,
        entry: &QueueEntry,
    ) -> Result<(), StoreError> {
        batch.put(FRONTIER, entry_key(&entry.url, entry.priority), encode_entry(entry))
    }

    pub(in crate::store) fn delete_entry(
        &self,
        batch: &mut RowBatch<'_>,
        entry: &QueueEntry,
    ) -> Result<(), StoreError> {
        batch.delete(FRONTIER, entry_key(&entry.url, entry.priority))
    }

    /// Up to `most` non-empty queues in key order, strictly after the queue `after`, each with its first URL.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn queues(&self, after: Option<&QueueName>, most: usize) -> Result<Vec<Arrival>, StoreError> {
        let mut queues = Vec::new();
        let mut cursor = self.cursor(FRONTIER)?;
        match after {
            None => cursor.seek_to_first(),
            Some(name) => match after_prefix(name.as_bytes()) {
                Some(next) => cursor.seek(next),
                None => return Ok(queues),
            },
        }
        while let (Some(key), true) = (cursor.key(), queues.len() < most) {
            let (name, priority, surt) = split_entry_key(key)?;
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

    /// Up to `most` URLs of one lane of a queue in its order, strictly after the URL `after`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn entries_of_lane(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueueEntry>,
        most: usize,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        let from = |lane| [queue.as_bytes(), &[codec::lane_start(lane)]].concat();
        let end = match lane {
            Lane::Unbudgeted => Some(from(Lane::New)),
            Lane::New => after_prefix(queue.as_bytes()),
        };
        let mut cursor = self.cursor_before(FRONTIER, end)?;
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

    /// The number of URLs in one queue. Calls `proceed` every few hundred keys; its error ends the count.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, and the error of `proceed`.
    pub fn queue_length_of<E: From<StoreError>>(
        &self,
        queue: &QueueName,
        proceed: &dyn Fn() -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut cursor = self.cursor_before(FRONTIER, after_prefix(queue.as_bytes()))?;
        cursor.seek(queue.as_bytes());
        let mut count = 0_u64;
        while cursor.valid() {
            count += 1;
            if count.is_multiple_of(KEYS_PER_CHECK) {
                proceed()?;
            }
            cursor.next();
        }
        cursor.status().map_err(StoreError::from)?;
        Ok(count)
    }

    /// The entry of a URL in its queue, if it is queued. Reads the queue up to the entry.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn find_entry(&self, url: &CanonicalUrl) -> Result<Option<QueueEntry>, StoreError> {
        self.find_entry_while(url, &|| Ok(()))
    }

    /// As [`Self::find_entry`]. Calls `proceed` every few hundred keys; its error ends the search.
    ///
    /// # Errors
    /// As [`Self::find_entry`], and the error of `proceed`.
    pub fn find_entry_while<E: From<StoreError>>(
        &self,
        url: &CanonicalUrl,
        proceed: &dyn Fn() -> Result<(), E>,
    ) -> Result<Option<QueueEntry>, E> {
        let (queue, surt) = (QueueName::of(url), Surt::from(url));
        let mut cursor = self.cursor_before(FRONTIER, after_prefix(queue.as_bytes()))?;
        cursor.seek(queue.as_bytes());
        let mut count = 0_u64;
        while let Some((key, value)) = cursor.item() {
            if split_entry_key(key)?.2 == surt.as_bytes() {
                return Ok(Some(decode_entry(key, value)?));
            }
            count += 1;
            if count.is_multiple_of(KEYS_PER_CHECK) {
                proceed()?;
            }
            cursor.next();
        }
        cursor.status().map_err(StoreError::from)?;
        Ok(None)
    }
}
