//! The seen set: all URLs ever discovered, and the unmerged URLs that wait to enter it.
//!
//! A discovered URL passes three stages. First, a cache in memory ([`RecentUrls`]) drops most repeats. Second, the URL
//! is stored with its commit in one row of `met`, and is unmerged. Third, a merge compares all unmerged URLs with the
//! [`Sieve`] at once, and queues the new ones.
//!
//! Files of the sieve are valid from the batch on that names them in `meta` and clears `met`. So a crash repeats a
//! merge or leaves it done: no URL is lost. A URL that is queued twice has a page that shows the first visit.
//!
//! Every page, and every queued or scheduled URL, is in the set or unmerged. Conversely, each URL in the set has a
//! page, or is queued or scheduled. Sitemaps are queued whenever they are needed, and are never in the set.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashSet;

use crate::model::{Arrival, DiscoveredUrl, Priority, QueueEntry};
use crate::sieve::{Candidate, RunInfo, Sieve};
use crate::store::codec::queue_entry::split_entry_key;
use crate::store::codec::schedule_entry::split_schedule_key;
use crate::store::codec::varint::{Damage, Reader, put_varint};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{FRONTIER, MET, META, PAGES, SCHEDULE, VISITS};
use crate::store::read::display::display_key;
use crate::store::{RecentUrls, Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Surt, surt_fingerprint, url_fingerprint};

use super::arrivals::ArrivalSet;
use super::resting_pages::RestingPages;

pub(in crate::store) const SIEVE_KEY: &[u8] = b"sieve";
/// Replaces the list of files: the set is rebuilt when the store is opened next.
pub(in crate::store) const REBUILD_MARK: &[u8] = &[0xff];
/// Size of the cache of recent URLs if the crawl sets none.
const DEFAULT_RECENT_URLS: usize = 1 << 16;
/// Name of the folder of the set's files, in the data directory.
pub(in crate::store) const SEEN_SET_FOLDER: &str = "seen";
/// Bytes of one batch of a merge. Twice as much is in memory, and a crash repeats as much.
const BATCH_BYTES: usize = 2 << 20;
/// URLs in memory at once while the set is rebuilt.
const REBUILD_URLS: usize = 4_000_000;

/// State shared by commits. The holder of its lock ([`Store::lock_writes`]) is the only writer of the store.
pub(in crate::store) struct WriteState {
    pub recent: Arc<RecentUrls>,
    seen_set: Arc<SeenSet>,
    /// The key of the next row of `met`.
    next_row: u64,
}

/// The set and its unmerged URLs. Only the holder of the writer's lock changes it. Any thread may read it meanwhile,
/// even during a merge.
#[derive(Default)]
pub(in crate::store) struct SeenSet(RwLock<SeenSetState>);

#[derive(Default)]
struct SeenSetState {
    sieve: Sieve,
    /// The URLs of `met`, in stored order.
    unmerged: Vec<Candidate>,
}

impl SeenSet {
    fn read(&self) -> RwLockReadGuard<'_, SeenSetState> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, SeenSetState> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy shares the open files, so it is cheap.
    fn sieve(&self) -> Sieve {
        self.read().sieve.clone()
    }

    fn holds(&self, fingerprint: u64) -> Result<bool, StoreError> {
        let sieve = {
            let state = self.read();
            if state.unmerged.iter().any(|candidate| candidate.fingerprint == fingerprint) {
                return Ok(true);
            }
            state.sieve.clone()
        };
        Ok(sieve.contains(fingerprint)?)
    }
}

impl SeenSetState {
    fn push_unmerged(&mut self, fingerprint: u64) {
        self.unmerged
            .push(Candidate { fingerprint, index: u32::try_from(self.unmerged.len()).unwrap_or(u32::MAX) });
    }
}

/// Discovered URLs that a batch adds to `met`.
#[derive(Default)]
pub(in crate::store) struct UnmergedRow {
    row: Vec<u8>,
    fingerprints: Vec<u64>,
    /// Hashes of the URLs in the row, for the cache of recent URLs.
    url_hashes: Vec<u64>,
    distinct: HashSet<u64>,
}

impl WriteState {
    /// A writer for a set that is opened later.
    pub(crate) fn new(seen_set: &Arc<SeenSet>) -> Self {
        Self { recent: RecentUrls::new(DEFAULT_RECENT_URLS), seen_set: Arc::clone(seen_set), next_row: 0 }
    }

    /// Opens the set that `meta` and `met` describe.
    pub(crate) fn open(store: &Store) -> Result<Self, StoreError> {
        let sieve = Sieve::open(&store.seen_set_directory(), &load_runs(store)?)?;
        let mut state = SeenSetState { sieve, unmerged: Vec::new() };
        let mut writer = Self::new(&store.seen_set);
        let mut cursor = store.cursor(MET)?;
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            writer.load_unmerged_row(&mut state, key, value);
            cursor.next();
        }
        cursor.status()?;
        store.unmerged_urls.store(state.unmerged.len(), Ordering::Relaxed);
        store.seen_urls.store(state.sieve.len(), Ordering::Relaxed);
        *writer.seen_set.write() = state;
        Ok(writer)
    }

    /// Loads a row of `met` up to the first unreadable URL. Damage stops merges, but not the opening of the store,
    /// because a repair needs an open store.
    fn load_unmerged_row(&mut self, state: &mut SeenSetState, key: &[u8], value: &[u8]) {
        let mut reader = Reader(value);
        let damage = loop {
            match codec::decode_unmerged(&mut reader) {
                Ok(Some(unmerged_url)) => state.push_unmerged(surt_fingerprint(unmerged_url.surt)),
                Ok(None) => break None,
                Err(damage) => break Some(damage.0),
            }
        };
        let row = key.try_into().map(u64::from_be_bytes);
        self.next_row = row.map_or(self.next_row, |row| row.saturating_add(1));
        if row.is_err() || damage.is_some() {
            tracing::error!(
                row = display_key(MET, key),
                "a row of unmerged URLs is damaged; run `backlinkd verify --repair`"
            );
        }
    }

    /// Reloads the unmerged URLs. Clears the cache of recent URLs, because the set may have lost some.
    pub(crate) fn reload(&mut self, store: &Store) -> Result<(), StoreError> {
        self.recent.clear();
        *self = Self { recent: Arc::clone(&self.recent), ..Self::open(store)? };
        Ok(())
    }

    /// The key of the next row of `met`.
    pub(crate) fn next_row(&self) -> u64 {
        self.next_row
    }

    /// The fingerprints of the set in a range, sorted.
    pub(crate) fn seen_between(&self, range: &RangeInclusive<u64>) -> Result<Vec<u64>, StoreError> {
        Ok(self.seen_set.sieve().between(range)?)
    }

    /// The number of URLs in the set.
    pub(crate) fn len(&self) -> u64 {
        self.seen_set.read().sieve.len()
    }

    /// The fingerprints of the unmerged URLs.
    pub(crate) fn unmerged(&self) -> Vec<u64> {
        self.seen_set.read().unmerged.iter().map(|candidate| candidate.fingerprint).collect()
    }

    /// Checks that the files of the set have the content that was written.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        Ok(self.seen_set.sieve().check()?)
    }

    /// Deletes files that an interrupted merge left.
    pub(crate) fn delete_stale_files(&self) -> Result<(), StoreError> {
        Ok(self.seen_set.sieve().discard()?)
    }

    /// Adds a URL to the unmerged row, unless it is recent. `queued`: the URL is in the queue already.
    pub(crate) fn add_unmerged(&self, unmerged_row: &mut UnmergedRow, found: &DiscoveredUrl, queued: bool) {
        let hash = RecentUrls::hash(&found.url);
        if self.recent.holds_hash(hash) {
            return;
        }
        let surt = Surt::from(&found.url);
        let fingerprint = url_fingerprint(&found.url, surt.as_bytes());
        if unmerged_row.distinct.insert(fingerprint) {
            codec::put_unmerged(&mut unmerged_row.row, found, surt.as_bytes(), queued);
            unmerged_row.fingerprints.push(fingerprint);
            unmerged_row.url_hashes.push(hash);
        }
    }

    /// Adds the unmerged row to a batch.
    pub(crate) fn put_unmerged_row(
        &self,
        batch: &mut RowBatch<'_>,
        unmerged_row: &UnmergedRow,
    ) -> Result<(), StoreError> {
        if !unmerged_row.row.is_empty() {
            batch.put(MET, self.next_row.to_be_bytes(), &unmerged_row.row)?;
        }
        Ok(())
    }

    /// Makes the URLs of the row unmerged, after the batch is written.
    pub(crate) fn confirm_unmerged_row(&mut self, store: &Store, unmerged_row: UnmergedRow) {
        self.next_row += u64::from(!unmerged_row.row.is_empty());
        unmerged_row.url_hashes.into_iter().for_each(|hash| self.recent.add(hash));
        let mut state = self.seen_set.write();
        unmerged_row.fingerprints.into_iter().for_each(|fingerprint| state.push_unmerged(fingerprint));
        store.unmerged_urls.store(state.unmerged.len(), Ordering::Relaxed);
    }

    /// Merges the unmerged URLs into the set, and queues the new ones.
    fn merge(&mut self, store: &Store) -> Result<Vec<Arrival>, StoreError> {
        let mut candidates = self.seen_set.read().unmerged.clone();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let merged = self.seen_set.sieve().merge(&mut candidates)?;
        drop(candidates);
        let mut batch = store.batch();
        let arrivals = queue_new(store, &merged.is_new, &mut batch)?;
        batch.put(META, SIEVE_KEY, encode_runs(&merged.sieve.runs()))?;
        batch.delete_range(MET, &0u64.to_be_bytes(), &self.next_row.to_be_bytes())?;
        // The former files are deleted next.
        store.write_with_sync(batch, true)?;
        store.unmerged_urls.store(0, Ordering::Relaxed);
        store.seen_urls.store(merged.sieve.len(), Ordering::Relaxed);
        let mut state = self.seen_set.write();
        state.sieve = merged.sieve;
        state.unmerged.clear();
        drop(state);
        self.delete_stale_files()?;
        Ok(arrivals)
    }
}

/// Queues the new ones of the unmerged URLs. `is_new` is in their stored order. The last entries stay in `batch`.
fn queue_new(store: &Store, is_new: &[bool], batch: &mut RowBatch<'_>) -> Result<Vec<Arrival>, StoreError> {
    let (mut arrivals, mut index) = (ArrivalSet::default(), 0);
    let mut cursor = store.cursor(MET)?;
    cursor.seek_to_first();
    while let Some((key, value)) = cursor.item() {
        let damaged = |damage: Damage| StoreError::damaged(MET, key, damage.0);
        let mut reader = Reader(value);
        while let Some(unmerged_url) = codec::decode_unmerged(&mut reader).map_err(damaged)? {
            if is_new.get(index) == Some(&true) && !unmerged_url.queued {
                let url = unmerged_url.url().map_err(damaged)?;
                let (priority, depth, target) =
                    (unmerged_url.priority, unmerged_url.depth, unmerged_url.target);
                let entry = QueueEntry { url, priority, depth, attempts: 0, target };
                store.put_entry(batch, &entry)?;
                arrivals.add(entry);
                if batch.size_in_bytes() >= BATCH_BYTES {
                    store.write(batch.take())?;
                }
            }
            index += 1;
        }
        cursor.next();
    }
    cursor.status()?;
    Ok(arrivals.into_vec())
}

/// The SURT in a key of the pages, the queue or the schedule, if it belongs in the seen set. Sitemaps do not.
pub(in crate::store) fn seen_set_surt<'k>(family: &'static str, key: &'k [u8]) -> Option<&'k [u8]> {
    match family {
        FRONTIER => split_entry_key(key)
            .ok()
            .filter(|(_, priority, _)| *priority != Priority::Sitemap)
            .map(|(.., surt)| surt),
        SCHEDULE => split_schedule_key(key).ok().map(|(_, surt)| surt),
        _ => Some(key),
    }
}

fn encode_runs(runs: &[RunInfo]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in runs {
        put_varint(&mut out, run.id);
        put_varint(&mut out, run.len);
        out.extend_from_slice(&run.sum.to_le_bytes());
    }
    out
}

fn load_runs(store: &Store) -> Result<Vec<RunInfo>, StoreError> {
    let value = store.get(META, SIEVE_KEY)?;
    let mut reader = Reader(value.as_deref().unwrap_or_default());
    let mut runs = Vec::new();
    while !reader.0.is_empty() {
        let mut run = || {
            let (id, len) = (reader.varint("a file's number")?, reader.varint("a file's length")?);
            let sum = reader.bytes(8, "a file's sum")?.try_into().unwrap_or_default();
            Ok(RunInfo { id, len, sum: u64::from_le_bytes(sum) })
        };
        runs.push(run().map_err(|damage: Damage| StoreError::damaged(META, SIEVE_KEY, damage.0))?);
    }
    Ok(runs)
}

impl Store {
    /// The folder of the set's files.
    pub fn seen_set_directory(&self) -> PathBuf {
        self.directory.join(SEEN_SET_FOLDER)
    }

    /// The number of URLs that wait for [`Self::merge_discovered`].
    pub fn unmerged_urls(&self) -> usize {
        self.unmerged_urls.load(Ordering::Relaxed)
    }

    /// The number of URLs in the seen set, without unmerged ones.
    pub fn seen_urls(&self) -> u64 {
        self.seen_urls.load(Ordering::Relaxed)
    }

    /// Merges the unmerged URLs into the seen set, and queues those that are new. Returns the queues that they entered.
    ///
    /// # Errors
    /// [`StoreError`] when the database or a file of the set fails. The URLs stay unmerged then.
    pub fn merge_discovered(&self) -> Result<Vec<Arrival>, StoreError> {
        self.lock_writes().merge(self)
    }

    /// Whether a URL was discovered before, merged or not. Waits for no commit and no merge.
    ///
    /// # Errors
    /// [`StoreError`] when a file of the set cannot be read.
    pub fn was_seen(&self, url: &CanonicalUrl) -> Result<bool, StoreError> {
        self.seen_set.holds(url_fingerprint(url, Surt::from(url).as_bytes()))
    }

    /// Rebuilds the set from pages, queue and schedule. It lacks imported pages that the crawl does not know. A URL that is in none of them counts as new when it is
    /// discovered again.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or a file cannot be written.
    pub fn rebuild_seen_set(&self) -> Result<(), StoreError> {
        self.rebuild_seen_set_with(&mut self.lock_writes())
    }

    /// As [`Self::rebuild_seen_set`], with the writer's lock held. Unreadable keys are skipped.
    pub(in crate::store) fn rebuild_seen_set_with(&self, writer: &mut WriteState) -> Result<(), StoreError> {
        let mut sieve = Sieve::open(&self.seen_set_directory(), &[])?;
        let mut candidates = Vec::new();
        for family in [PAGES, FRONTIER, SCHEDULE] {
            let mut cursor = self.cursor(family)?;
            cursor.seek_to_first();
            let mut resting = RestingPages::new(self.cursor(VISITS)?);
            while let Some(key) = cursor.key() {
                let is_known = family != PAGES || !resting.contain(key)?;
                if let Some(surt) = seen_set_surt(family, key).filter(|_| is_known) {
                    candidates.push(Candidate {
                        fingerprint: surt_fingerprint(surt),
                        index: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
                    });
                }
                cursor.next();
                if candidates.len() >= REBUILD_URLS || !cursor.valid() {
                    sieve = sieve.merge(&mut candidates)?.sieve;
                    sieve.discard()?;
                    candidates.clear();
                }
            }
            cursor.status()?;
        }
        let mut batch = self.batch();
        batch.put(META, SIEVE_KEY, encode_runs(&sieve.runs()))?;
        self.write_with_sync(batch, true)?;
        self.seen_urls.store(sieve.len(), Ordering::Relaxed);
        writer.seen_set.write().sieve = sieve;
        Ok(())
    }
}
