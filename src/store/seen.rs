//! The set of all URLs ever met, and the URLs on their way into it.
//!
//! What a commit meets goes through three stages. A cache in memory of URLs met lately ([`MetLately`]) drops most
//! repeats; whoever finds URLs may ask it first. The
//! rest is stored with the commit, as one row of `met`, and waits. A merge then holds all that waits against the
//! [`Sieve`] at once, and queues what is new. Files of the sieve count from the batch on that names them in `meta`
//! and clears `met`, so a crash repeats a merge or leaves it done: no URL is lost, and none is queued twice without
//! its page telling that it was visited meanwhile.
//!
//! Every page, and every URL that is queued or scheduled, is in the set or waits to come into it; and of whatever is in
//! the set, a page or such a URL is there. Sitemaps are queued whenever they are wanted, and are not in it.

use std::collections::hash_map::Entry;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rocksdb::WriteBatch;
use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::FromZeros;

use crate::frontier::{Arrival, Found, Lane, QueueName, QueuedUrl, permutation_key};
use crate::sieve::{Candidate, RunName, Sieve};
use crate::urls::{CanonicalUrl, Surt};

use super::codec::{Reader, put_varint};
use super::schema::{FRONTIER, MET, META, PAGES, SCHEDULE};
use super::shown::shown_key;
use super::{Store, StoreError, queue, values};

pub(super) const SIEVE_KEY: &[u8] = b"sieve";
/// In the place of the list of files: the set is to be made anew when the store is opened next.
pub(super) const INVALID: &[u8] = &[0xff];
/// URLs whose fingerprints the cache holds when the crawl does not say.
const DEFAULT_CACHE: usize = 1 << 16;
/// Of the data directory.
pub(super) const FOLDER: &str = "seen";
/// Bytes of one batch of a merge: twice that it holds in memory, and as much a crash repeats.
const BATCH_BYTES: usize = 2 << 20;
/// URLs held in memory at once while the set is made anew.
const REBUILD_URLS: usize = 4_000_000;

/// Remembers URLs that were met lately and are stored, by their hashes, in constant memory: a direct-mapped table.
/// Any thread may ask, at any time; a URL that is forgotten, or not yet entered, is met again, which does no harm.
pub struct MetLately(Vec<AtomicU64>);

impl MetLately {
    pub(super) fn new(urls: usize) -> Arc<Self> {
        let zeroed = AtomicU64::new_vec_zeroed(urls.max(1).next_power_of_two());
        Arc::new(Self(zeroed.unwrap_or_else(|_| vec![AtomicU64::new(0)])))
    }

    /// Whether this URL was met lately.
    pub fn holds(&self, url: &CanonicalUrl) -> bool {
        self.holds_hash(Self::hash(url))
    }

    fn hash(url: &CanonicalUrl) -> u64 {
        xxh3_64(url.as_str().as_bytes())
    }

    fn place(&self, hash: u64) -> &AtomicU64 {
        &self.0[hash as usize & (self.0.len() - 1)]
    }

    /// Zero stands for an empty place: the URL whose hash it is is never held.
    fn holds_hash(&self, hash: u64) -> bool {
        hash != 0 && self.place(hash).load(Ordering::Relaxed) == hash
    }

    fn add(&self, hash: u64) {
        self.place(hash).store(hash, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.iter().for_each(|place| place.store(0, Ordering::Relaxed));
    }
}

/// What commits need to remember of each other. Whoever holds its lock is the one who writes.
pub(super) struct Writer {
    pub lately: Arc<MetLately>,
    known: Arc<Known>,
    /// The key of the next row of `met`.
    next_row: u64,
}

/// The set of known URLs and those on their way into it. Only who holds the writer's lock changes it; anybody may look
/// into it meanwhile, while a merge is under way as well.
#[derive(Default)]
pub(super) struct Known(RwLock<KnownUrls>);

#[derive(Default)]
struct KnownUrls {
    sieve: Sieve,
    /// The URLs of `met`, in its order.
    waiting: Vec<Candidate>,
}

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, KnownUrls> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, KnownUrls> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files are open already, so that this copies their names alone.
    fn sieve(&self) -> Sieve {
        self.read().sieve.clone()
    }

    fn holds(&self, fingerprint: u64) -> Result<bool, StoreError> {
        let sieve = {
            let known = self.read();
            if known.waiting.iter().any(|candidate| candidate.fingerprint == fingerprint) {
                return Ok(true);
            }
            known.sieve.clone()
        };
        Ok(sieve.holds(fingerprint)?)
    }
}

impl KnownUrls {
    fn wait(&mut self, fingerprint: u64) {
        self.waiting.push(Candidate { fingerprint, place: self.waiting.len() as u32 });
    }
}

/// URLs on their way into a batch.
#[derive(Default)]
pub(super) struct Staged {
    row: Vec<u8>,
    fingerprints: Vec<u64>,
    /// Hashes of the URLs in the row.
    hashes: Vec<u64>,
    within: FxHashSet<u64>,
}

/// What a URL is known by. URLs that differ in the order of their query's parameters alone are one.
pub(super) fn fingerprint_of(url: &CanonicalUrl, surt: &[u8]) -> u64 {
    permutation_key(url).unwrap_or_else(|| xxh3_64(surt))
}

/// The same of a sortable URL alone.
pub(super) fn fingerprint(surt: &[u8]) -> u64 {
    let plain = !surt.contains(&b'&');
    let url = if plain { None } else { Surt::bytes_to_url(surt).ok() };
    url.map_or_else(|| xxh3_64(surt), |url| fingerprint_of(&url, surt))
}

impl Writer {
    /// For a set that is to be opened.
    pub fn new(known: &Arc<Known>) -> Self {
        Self { lately: MetLately::new(DEFAULT_CACHE), known: Arc::clone(known), next_row: 0 }
    }

    /// Opens the store's set as `meta` and `met` have it.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        let sieve = Sieve::open(&store.seen_directory(), &stored_runs(store)?)?;
        let mut known = KnownUrls { sieve, waiting: Vec::new() };
        let mut writer = Self::new(&store.seen);
        let mut cursor = store.db.raw_iterator_cf(store.family(MET)?);
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            writer.read_row(&mut known, key, value);
            cursor.next();
        }
        cursor.status()?;
        store.met_urls.store(known.waiting.len(), Ordering::Relaxed);
        store.known_urls.store(known.sieve.len(), Ordering::Relaxed);
        *writer.known.write() = known;
        Ok(writer)
    }

    /// Takes in a row of `met` as far as it can be read: a damaged one stops merges, but not the opening of the
    /// store, without which nobody could repair it.
    fn read_row(&mut self, known: &mut KnownUrls, key: &[u8], value: &[u8]) {
        let mut reader = Reader(value);
        let damage = loop {
            match values::decode_met(&mut reader) {
                Ok(Some(met)) => known.wait(fingerprint(met.surt)),
                Ok(None) => break None,
                Err(damage) => break Some(damage.0),
            }
        };
        let row = key.try_into().map(u64::from_be_bytes);
        self.next_row = row.map_or(self.next_row, |row| row.saturating_add(1));
        if row.is_err() || damage.is_some() {
            tracing::error!(
                row = shown_key(MET, key),
                "a row of URLs that were met is damaged; run `backlinkd verify --repair`"
            );
        }
    }

    /// Reads anew what waits; forgets what was met lately, for it may be gone.
    pub fn reopen(&mut self, store: &Store) -> Result<(), StoreError> {
        self.lately.clear();
        *self = Self { lately: Arc::clone(&self.lately), ..Self::open(store)? };
        Ok(())
    }

    /// The key of the next row of `met`.
    pub fn next_row(&self) -> u64 {
        self.next_row
    }

    /// The fingerprints of a range that are in the set, sorted.
    pub fn known(&self, range: &RangeInclusive<u64>) -> Result<Vec<u64>, StoreError> {
        Ok(self.known.sieve().between(range)?)
    }

    /// How many are in the set.
    pub fn len(&self) -> u64 {
        self.known.read().sieve.len()
    }

    /// The fingerprints on their way into the set.
    pub fn waiting(&self) -> Vec<u64> {
        self.known.read().waiting.iter().map(|candidate| candidate.fingerprint).collect()
    }

    /// Whether the files of the set are what was written.
    pub fn check(&self) -> Result<(), StoreError> {
        Ok(self.known.sieve().check()?)
    }

    /// Deletes what a merge that was cut short left.
    pub fn clear_away(&self) -> Result<(), StoreError> {
        Ok(self.known.sieve().discard()?)
    }

    /// Puts a URL into `staged`, unless it was met lately. `queued`: it stands in the queue already.
    pub fn meet(&self, staged: &mut Staged, found: &Found, queued: bool) {
        let hash = MetLately::hash(&found.url);
        if self.lately.holds_hash(hash) {
            return;
        }
        let surt = Surt::from(&found.url);
        let fingerprint = fingerprint_of(&found.url, surt.as_bytes());
        if staged.within.insert(fingerprint) {
            values::put_met(&mut staged.row, found, surt.as_bytes(), queued);
            staged.fingerprints.push(fingerprint);
            staged.hashes.push(hash);
        }
    }

    /// Adds the row of `met` to a batch.
    pub fn stage(&self, store: &Store, batch: &mut WriteBatch, staged: &Staged) -> Result<(), StoreError> {
        if !staged.row.is_empty() {
            batch.put_cf(store.family(MET)?, self.next_row.to_be_bytes(), &staged.row);
        }
        Ok(())
    }

    /// The batch is written.
    pub fn remember(&mut self, store: &Store, staged: Staged) {
        self.next_row += u64::from(!staged.row.is_empty());
        staged.hashes.into_iter().for_each(|hash| self.lately.add(hash));
        let mut known = self.known.write();
        staged.fingerprints.into_iter().for_each(|fingerprint| known.wait(fingerprint));
        store.met_urls.store(known.waiting.len(), Ordering::Relaxed);
    }

    /// Queues the new among the URLs that wait.
    fn merge(&mut self, store: &Store) -> Result<Vec<Arrival>, StoreError> {
        let mut candidates = self.known.read().waiting.clone();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let merged = self.known.sieve().merge(&mut candidates)?;
        drop(candidates);
        let mut arrivals = Arrivals::default();
        let mut batch = WriteBatch::default();
        let mut place = 0;
        let mut cursor = store.db.raw_iterator_cf(store.family(MET)?);
        cursor.seek_to_first();
        while let Some((key, value)) = cursor.item() {
            let damaged = |what| StoreError::damaged(MET, key, what);
            let mut reader = Reader(value);
            while let Some(met) = values::decode_met(&mut reader).map_err(|damage| damaged(damage.0))? {
                if merged.is_new.get(place) == Some(&true) && !met.queued {
                    let url = met.url().map_err(|damage| damaged(damage.0))?;
                    let (priority, depth, target) = (met.priority, met.depth, met.target);
                    let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
                    store.stage_entry(&mut batch, &entry)?;
                    arrivals.add(entry);
                    if batch.size_in_bytes() >= BATCH_BYTES {
                        store.write(std::mem::take(&mut batch))?;
                    }
                }
                place += 1;
            }
            cursor.next();
        }
        cursor.status()?;
        batch.put_cf(store.family(META)?, SIEVE_KEY, encode_runs(&merged.sieve.runs()));
        batch.delete_range_cf(store.family(MET)?, 0u64.to_be_bytes(), self.next_row.to_be_bytes());
        // The files that were named before are deleted next.
        store.write_with(batch, true)?;
        store.met_urls.store(0, Ordering::Relaxed);
        store.known_urls.store(merged.sieve.len(), Ordering::Relaxed);
        let mut known = self.known.write();
        known.sieve = merged.sieve;
        known.waiting.clear();
        drop(known);
        self.clear_away()?;
        Ok(arrivals.into_vec())
    }
}

/// The lanes of queues that something came into, each once.
#[derive(Default)]
pub(super) struct Arrivals(FxHashMap<(QueueName, Lane), Arrival>);

impl Arrivals {
    pub fn add(&mut self, entry: QueuedUrl) {
        match self.0.entry((QueueName::of(&entry.url), entry.priority.lane())) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.priority = known.priority.min(entry.priority);
            }
            Entry::Vacant(free) => {
                let queue = free.key().0.clone();
                free.insert(Arrival { queue, url: entry.url, priority: entry.priority });
            }
        }
    }

    pub fn into_vec(self) -> Vec<Arrival> {
        self.0.into_values().collect()
    }
}

fn encode_runs(runs: &[RunName]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in runs {
        put_varint(&mut out, run.id);
        put_varint(&mut out, run.len);
        out.extend_from_slice(&run.sum.to_le_bytes());
    }
    out
}

fn stored_runs(store: &Store) -> Result<Vec<RunName>, StoreError> {
    let value = store.db.get_cf(store.family(META)?, SIEVE_KEY)?.unwrap_or_default();
    let mut reader = Reader(&value);
    let mut runs = Vec::new();
    while !reader.0.is_empty() {
        let mut run = || {
            let (id, len) = (reader.varint("a file's number")?, reader.varint("a file's length")?);
            let sum = reader.bytes(8, "a file's sum")?.try_into().unwrap_or_default();
            Ok(RunName { id, len, sum: u64::from_le_bytes(sum) })
        };
        runs.push(
            run().map_err(|damage: super::codec::Damage| StoreError::damaged(META, SIEVE_KEY, damage.0))?,
        );
    }
    Ok(runs)
}

impl Store {
    /// The folder of the set's files.
    pub fn seen_directory(&self) -> PathBuf {
        self.directory.join(FOLDER)
    }

    /// URLs that wait for [`Self::merge_met`].
    pub fn met_urls(&self) -> usize {
        self.met_urls.load(Ordering::Relaxed)
    }

    /// URLs in the set of known ones, without those that wait.
    pub fn known_urls(&self) -> u64 {
        self.known_urls.load(Ordering::Relaxed)
    }

    /// Queues those of the URLs met that were never met before; gives back the queues they came into.
    ///
    /// # Errors
    /// [`StoreError`] when the database or a file of the set fails; the URLs go on waiting then.
    pub fn merge_met(&self) -> Result<Vec<Arrival>, StoreError> {
        self.lock().merge(self)
    }

    /// Whether a URL was ever met, or waits for the merge that will tell. Waits for no commit and no merge.
    ///
    /// # Errors
    /// [`StoreError`] when a file of the set cannot be read.
    pub fn was_met(&self, url: &CanonicalUrl) -> Result<bool, StoreError> {
        self.seen.holds(fingerprint_of(url, Surt::from(url).as_bytes()))
    }

    /// Makes the set anew from the pages, the queue and the schedule. A URL that was dropped for good and stands in
    /// none of them is met as new when it is met again.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or a file cannot be written.
    pub fn rebuild_seen(&self) -> Result<(), StoreError> {
        self.rebuild_seen_of(&mut self.lock())
    }

    /// As [`Self::rebuild_seen`], for whoever holds the writer. Keys that cannot be read are passed over.
    pub(super) fn rebuild_seen_of(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut sieve = Sieve::open(&self.seen_directory(), &[])?;
        let mut candidates = Vec::new();
        for family in [PAGES, FRONTIER, SCHEDULE] {
            let mut cursor = self.db.raw_iterator_cf(self.family(family)?);
            cursor.seek_to_first();
            while let Some(key) = cursor.key() {
                if let Some(surt) = queue::known_in(family, key) {
                    candidates
                        .push(Candidate { fingerprint: fingerprint(surt), place: candidates.len() as u32 });
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
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(META)?, SIEVE_KEY, encode_runs(&sieve.runs()));
        self.write_with(batch, true)?;
        self.known_urls.store(sieve.len(), Ordering::Relaxed);
        writer.known.write().sieve = sieve;
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
