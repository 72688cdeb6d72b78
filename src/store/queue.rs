//! The queue of URLs to fetch and the set of all URLs ever queued, on disk.
//!
//! Each scheme, host and port has its own queue, in order of depth. A URL leaves the queue in the batch that
//! stores its page, so a crash costs no URL and repeats at most those that were in flight.

use rocksdb::WriteBatch;
use rustc_hash::FxHashSet;
use xxhash_rust::xxh3::xxh3_128;

use crate::frontier::{Backlog, Found, QueueName, QueuedUrl};
use crate::urls::{CanonicalUrl, Surt};

use super::codec::{Reader, put_varint};
use super::keys::after_prefix;
use super::schema::{FRONTIER, HOSTS, PAGES, SEEN, bounded, decode_sums, encode_sums};
use super::{Store, StoreError, values};

/// Remembers recently asked keys of the seen set, in constant memory: a direct-mapped table of fingerprints.
/// Zero stands for an empty place; the one URL whose fingerprint is zero is always asked on disk.
pub(super) struct SeenCache(Vec<u128>);

impl SeenCache {
    pub fn new(urls: usize) -> Self {
        Self(vec![0; urls.max(1).next_power_of_two()])
    }

    fn place(&mut self, key: u128) -> &mut u128 {
        let at = key as usize & (self.0.len() - 1);
        &mut self.0[at]
    }

    fn holds(&mut self, key: u128) -> bool {
        key != 0 && *self.place(key) == key
    }

    fn add(&mut self, key: u128) {
        *self.place(key) = key;
    }
}

fn entry_key(queued: &CanonicalUrl, depth: u16) -> Vec<u8> {
    let mut key = QueueName::of(queued).as_bytes().to_vec();
    key.extend_from_slice(&depth.to_be_bytes());
    key.extend_from_slice(Surt::from(queued).as_bytes());
    key
}

fn seen_key(url: &CanonicalUrl) -> u128 {
    xxh3_128(Surt::from(url).as_bytes())
}

/// Queue name, depth and URL of an entry's key.
fn split_entry(key: &[u8]) -> Result<(QueueName, u16, CanonicalUrl), StoreError> {
    let damaged = |what| StoreError::damaged(FRONTIER, key, what);
    let (name, rest) = Surt::split_first(key).map_err(|_| damaged("the queue"))?;
    let (depth, surt) = rest.split_first_chunk::<2>().ok_or_else(|| damaged("the depth"))?;
    let url = Surt::bytes_to_url(surt).map_err(|_| damaged("the URL"))?;
    Ok((QueueName::from_stored(name), u16::from_be_bytes(*depth), url))
}

impl Store {
    /// Adds URLs that were never queued before (or are to be queued again) to a batch; gives those back.
    pub(super) fn stage_found(
        &self,
        batch: &mut WriteBatch,
        cache: &mut SeenCache,
        found: Vec<Found>,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        let mut queued = Vec::new();
        let mut staged: FxHashSet<u128> = FxHashSet::default();
        for Found { url, depth, again } in found {
            let key = seen_key(&url);
            if staged.contains(&key) || (!again && cache.holds(key)) {
                continue;
            }
            let known_depth = self.seen_depth(key)?;
            if known_depth.is_some() {
                cache.add(key);
            }
            let depth = match known_depth {
                Some(_) if !again => continue,
                Some(known) if self.is_queued(&url, known)? => continue,
                Some(known) => known.min(depth),
                None => depth,
            };
            staged.insert(key);
            let mut value = Vec::with_capacity(2);
            put_varint(&mut value, u64::from(depth));
            batch.put_cf(self.family(SEEN)?, key.to_be_bytes(), value);
            let entry = QueuedUrl { url, depth, attempts: 0 };
            self.stage_entry(batch, &entry)?;
            queued.push(entry);
        }
        Ok(queued)
    }

    /// Marks the staged URLs as seen once their batch is written.
    pub(super) fn remember(cache: &mut SeenCache, queued: &[QueuedUrl]) {
        for entry in queued {
            cache.add(seen_key(&entry.url));
        }
    }

    pub(super) fn stage_entry(&self, batch: &mut WriteBatch, entry: &QueuedUrl) -> Result<(), StoreError> {
        let mut value = Vec::with_capacity(1);
        put_varint(&mut value, u64::from(entry.attempts));
        batch.put_cf(self.family(FRONTIER)?, entry_key(&entry.url, entry.depth), value);
        Ok(())
    }

    pub(super) fn stage_dropped(&self, batch: &mut WriteBatch, entry: &QueuedUrl) -> Result<(), StoreError> {
        batch.delete_cf(self.family(FRONTIER)?, entry_key(&entry.url, entry.depth));
        Ok(())
    }

    pub(super) fn stage_done(&self, batch: &mut WriteBatch, entry: &QueuedUrl) -> Result<(), StoreError> {
        self.stage_dropped(batch, entry)?;
        batch.merge_cf(self.family(HOSTS)?, QueueName::of(&entry.url).as_bytes(), encode_sums(&[1]));
        Ok(())
    }

    fn seen_depth(&self, key: u128) -> Result<Option<u16>, StoreError> {
        let Some(value) = self.db.get_pinned_cf(self.family(SEEN)?, key.to_be_bytes())? else {
            return Ok(None);
        };
        let depth = Reader(&value).varint("the depth").ok().and_then(|depth| u16::try_from(depth).ok());
        depth.map(Some).ok_or_else(|| StoreError::damaged(SEEN, &key.to_be_bytes(), "the depth"))
    }

    fn is_queued(&self, url: &CanonicalUrl, depth: u16) -> Result<bool, StoreError> {
        Ok(self.db.get_pinned_cf(self.family(FRONTIER)?, entry_key(url, depth))?.is_some())
    }

    /// Depth at which a URL was queued, if it ever was.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn depth_of(&self, url: &CanonicalUrl) -> Result<Option<u16>, StoreError> {
        self.seen_depth(seen_key(url))
    }

    /// Pages last visited before a Unix time, with their depths, in key order.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn visited_before(&self, time: u64) -> Result<Vec<(CanonicalUrl, u16)>, StoreError> {
        let mut due = Vec::new();
        let mut cursor = self.db.raw_iterator_cf(self.family(PAGES)?);
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            let damaged = |what| StoreError::damaged(PAGES, key, what);
            if values::decode_page(value).map_err(|damage| damaged(damage.0))?.visited < time {
                let url = Surt::bytes_to_url(key).map_err(|_| damaged("the URL"))?;
                let depth = self.depth_of(&url)?.unwrap_or(0);
                due.push((url, depth));
            }
            cursor.next();
        }
        cursor.status()?;
        Ok(due)
    }

    /// Every queue that holds URLs.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record is damaged.
    pub fn queues(&self) -> Result<Vec<QueueName>, StoreError> {
        let mut queues = Vec::new();
        let mut cursor = self.db.raw_iterator_cf(self.family(FRONTIER)?);
        cursor.seek_to_first();
        while let Some(key) = cursor.key() {
            let (name, ..) = split_entry(key)?;
            let next = after_prefix(name.as_bytes());
            queues.push(name);
            match next {
                Some(next) => cursor.seek(next),
                None => break,
            }
        }
        cursor.status()?;
        Ok(queues)
    }
}

impl Backlog for Store {
    type Error = StoreError;

    fn queued(
        &self,
        queue: &QueueName,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        let mut cursor =
            self.db.raw_iterator_cf_opt(self.family(FRONTIER)?, bounded(after_prefix(queue.as_bytes())));
        let start = after.map(|entry| entry_key(&entry.url, entry.depth));
        cursor.seek(start.as_deref().unwrap_or(queue.as_bytes()));
        if start.is_some() && cursor.key() == start.as_deref() {
            cursor.next();
        }
        let mut entries = Vec::new();
        while let (Some((key, value)), true) = (cursor.item(), entries.len() < most) {
            let (_, depth, url) = split_entry(key)?;
            let attempts = Reader(value).u32("the attempts");
            let attempts = attempts.map_err(|damage| StoreError::damaged(FRONTIER, key, damage.0))?;
            entries.push(QueuedUrl { url, depth, attempts });
            cursor.next();
        }
        cursor.status()?;
        Ok(entries)
    }

    fn fetches_of(&self, queue: &QueueName) -> Result<u64, StoreError> {
        let key = queue.as_bytes();
        let Some(value) = self.db.get_pinned_cf(self.family(HOSTS)?, key)? else { return Ok(0) };
        let sums = decode_sums(HOSTS, key, &value)?;
        Ok(sums.first().map_or(0, |&count| u64::try_from(count).unwrap_or(0)))
    }
}
