//! The queue of URLs to fetch, on disk.
//!
//! Each scheme, host and port has its own queue, in order of priority. A URL leaves the queue in the batch that stores
//! its page. So a crash loses no URL, and repeats at most the fetches in flight. The same batch adds the URL to the
//! schedule, which returns it to the queue when it is due.
//!
//! A page is in the queue or in the schedule. It is in both, or in the queue twice, if another visit was requested
//! meanwhile.

use crate::model::{Arrival, Found, Lane, QueueName, QueuedUrl, Target};
use crate::store::codec::keys::after_prefix;
use crate::store::codec::queue_entry::{decode_entry, encode_entry, entry_key, split_entry_key};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::FRONTIER;
use crate::store::{Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Surt};

use super::arrivals::ArrivalSet;
use super::seen_set::{PendingRow, SeenSetWriter};
use super::sitemaps::SitemapRows;

/// Keys read between two checks for an abort.
const KEYS_PER_CHECK: u64 = 512;

/// Whether an entry of the queue is a visit to a URL that has a page already. An entry for a new page is not.
pub(in crate::store) fn is_revisit(entry: &QueuedUrl) -> bool {
    entry.target == Target::Page && (entry.attempts > 0 || !entry.priority.is_new_page())
}

impl Store {
    /// Adds discovered URLs to a batch: URLs to visit again to their queues, all others to the pending URLs.
    /// `unqueued` are pages stored without having been queued; they become pending as seen.
    pub(in crate::store) fn add_found(
        &self,
        batch: &mut RowBatch<'_>,
        sitemaps: &mut SitemapRows,
        writer: &SeenSetWriter,
        found: Vec<Found>,
        unqueued: Vec<CanonicalUrl>,
    ) -> Result<(PendingRow, Vec<Arrival>), StoreError> {
        let (mut pending_row, mut arrivals) = (PendingRow::default(), ArrivalSet::default());
        for url in unqueued {
            let found = Found::page(url, 0);
            writer.add_pending(&mut pending_row, &found, true);
        }
        for found in found {
            let again = found.is_wanted_again();
            // A sitemap is not added to the seen set: otherwise no link to the same URL could queue it as a page.
            if found.target == Target::Page {
                writer.add_pending(&mut pending_row, &found, again);
            }
            if again {
                let surt = Surt::from(&found.url);
                // A sitemap is no visit to the page of the same URL.
                if found.target == Target::Page
                    && let Some(page) = self.read_page(surt.as_bytes())?
                {
                    self.delete_scheduled(batch, page.next_visit, surt.as_bytes())?;
                }
                let Found { url, priority, depth, target } = found;
                let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
                if !sitemaps.add(self, &entry)? {
                    self.put_entry(batch, &entry)?;
                }
                arrivals.add(entry);
            }
        }
        writer.put_pending_row(batch, &pending_row)?;
        Ok((pending_row, arrivals.into_vec()))
    }

    pub(in crate::store) fn put_entry(
        &self,
        batch: &mut RowBatch<'_>,
        entry: &QueuedUrl,
    ) -> Result<(), StoreError> {
        batch.put(FRONTIER, entry_key(&entry.url, entry.priority), encode_entry(entry))
    }

    pub(in crate::store) fn delete_entry(
        &self,
        batch: &mut RowBatch<'_>,
        entry: &QueuedUrl,
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
    pub fn queued(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        let from = |lane| [queue.as_bytes(), &[codec::lane_start(lane)]].concat();
        let end = match lane {
            Lane::Wanted => Some(from(Lane::New)),
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
    pub fn entry_of(&self, url: &CanonicalUrl) -> Result<Option<QueuedUrl>, StoreError> {
        self.find_entry(url, &|| Ok(()))
    }

    /// As [`Self::entry_of`]. Calls `proceed` every few hundred keys; its error ends the search.
    ///
    /// # Errors
    /// As [`Self::entry_of`], and the error of `proceed`.
    pub fn find_entry<E: From<StoreError>>(
        &self,
        url: &CanonicalUrl,
        proceed: &dyn Fn() -> Result<(), E>,
    ) -> Result<Option<QueuedUrl>, E> {
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
