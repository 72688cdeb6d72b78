//! The database: pages, links, backlinks, queue, ranks and users in RocksDB. The only importer of `rocksdb`.
//!
//! In: [`Commit`]s of page records, through one door ([`Store::commit`]), and the ranks of a finished
//! computation. Out: a [`Snapshot`], one consistent state that is read by scope. Invariants, whatever crash
//! comes between: a page record is stored with all its links, backlinks and counts or not at all; `pairs` are the
//! sums of the active `backlinks`; a URL is in the queue until its record is stored.
//!
//! It does not decide what is fetched, and it knows no HTTP. All calls block: call them off the async threads.

mod batches;
mod changes;
mod codec;
mod commit;
mod diff;
mod error;
mod figures;
mod keys;
mod lookup;
mod meta;
mod pairs;
mod queue;
mod ranks;
mod schema;
mod snapshot;
mod values;
mod verify;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, DBPinnableSlice, WriteBatch, WriteOptions,
};

use crate::config::StoreConfig;
use crate::frontier::{Found, QueuedUrl};
use crate::model::{OutlinkRecord, PageRecord, StoredPage};
use crate::urls::{CanonicalUrl, Suffixes};

pub use batches::{BacklinkBatch, BacklinkView};
pub use changes::Changes;
pub use error::StoreError;
pub use figures::{FamilyFigures, StoreFigures};
pub use keys::backlink_key;
pub use lookup::PageStatus;
pub use meta::Stats;
pub use pairs::{HostPair, PairCounts};
pub use schema::{COLUMN_FAMILIES, FORMAT};
pub use snapshot::{Keyed, PageLinks, Rows, Snapshot};
pub use verify::{Finding, Findings, VerifyOptions, VerifyProgress};

use commit::Stage;
use queue::SeenCache;
use schema::{OUTLINKS, PAGES};

/// URLs the store's own cache of the seen set remembers when the crawl does not say.
const DEFAULT_SEEN_CACHE: usize = 1 << 16;

/// The database. Share it by `Arc`.
pub struct Store {
    db: DB,
    directory: PathBuf,
    suffixes: Arc<Suffixes>,
    sync: bool,
    batch_pages: usize,
    /// Serialises commits, and remembers what they saw.
    writer: Mutex<SeenCache>,
    /// Of the last commit that changed anything. Raised by whoever holds the writer's lock.
    change_number: AtomicU64,
    /// Raised with every change of the API's users.
    users_number: AtomicU64,
}

/// A unit of work done by the crawl, stored in one atomic batch.
#[derive(Debug, Default)]
pub struct Commit {
    pub records: Vec<PageRecord>,
    /// URLs that leave the queue, fetched.
    pub done: Vec<QueuedUrl>,
    /// URLs that leave the queue without having been fetched.
    pub dropped: Vec<QueuedUrl>,
    /// URLs that stay in the queue with one more failed attempt.
    pub retried: Vec<QueuedUrl>,
    /// URLs met, known or not.
    pub found: Vec<Found>,
}

impl Store {
    /// Opens the database in `directory`, making it if it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be used, is in use by another process, or has another format.
    pub fn open(directory: &Path, config: &StoreConfig, suffixes: Arc<Suffixes>) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory).map_err(|error| StoreError::Directory {
            directory: directory.to_owned(),
            reason: error.to_string(),
        })?;
        Self::open_with(directory, config, suffixes, true)
    }

    /// Opens the database in `directory`, which must be there.
    ///
    /// # Errors
    /// As [`Self::open`], and [`StoreError::Absent`] when there is none.
    pub fn open_existing(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
    ) -> Result<Self, StoreError> {
        if !directory.join("CURRENT").exists() {
            return Err(StoreError::Absent(directory.to_owned()));
        }
        Self::open_with(directory, config, suffixes, false)
    }

    fn open_with(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
        create: bool,
    ) -> Result<Self, StoreError> {
        refuse_foreign(directory)?;
        let db = schema::open(directory, config, create).map_err(|error| opening(directory, error))?;
        let mut store = Self {
            db,
            directory: directory.to_owned(),
            suffixes,
            sync: config.sync,
            batch_pages: config.batch_pages,
            writer: Mutex::new(SeenCache::new(DEFAULT_SEEN_CACHE)),
            change_number: AtomicU64::new(0),
            users_number: AtomicU64::new(0),
        };
        store.check_format()?;
        store.resume_numbers()?;
        Ok(store)
    }

    /// Gives the seen set a cache of this many URLs (16 bytes each).
    pub fn set_seen_cache(&self, urls: usize) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = SeenCache::new(urls);
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn suffixes(&self) -> &Arc<Suffixes> {
        &self.suffixes
    }

    /// One consistent state, as of now.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self)
    }

    /// Stores page records alone; the queue is not touched.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn put(&self, records: &[PageRecord]) -> Result<(), StoreError> {
        for chunk in records.chunks(self.batch_pages) {
            self.commit(Commit { records: chunk.to_vec(), ..Commit::default() })?;
        }
        Ok(())
    }

    /// Stores a commit in one atomic batch; gives back the URLs that are new to the queue. A URL with two records
    /// in one commit is stored in two batches, the queue's changes with the last.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record it needs is damaged; then nothing of the batch is stored.
    pub fn commit(&self, commit: Commit) -> Result<Vec<QueuedUrl>, StoreError> {
        let mut cache = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Stage::new(self);
        for record in commit.records {
            if stage.holds(&record.url) {
                self.write_stage(std::mem::replace(&mut stage, Stage::new(self)))?;
            }
            stage.record(record)?;
        }
        let batch = &mut stage.batch;
        for entry in &commit.done {
            self.stage_done(batch, entry)?;
        }
        for entry in &commit.dropped {
            self.stage_dropped(batch, entry)?;
        }
        for entry in &commit.retried {
            self.stage_entry(batch, entry)?;
        }
        let queued = self.stage_found(batch, &mut cache, commit.found)?;
        self.write_stage(stage)?;
        Self::remember(&mut cache, &queued);
        Ok(queued)
    }

    fn write_stage(&self, stage: Stage<'_>) -> Result<(), StoreError> {
        let (batch, changed) = stage.finish()?;
        if changed.is_empty() { self.write(batch) } else { self.write_numbered(batch, &changed) }
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut options = WriteOptions::default();
        options.set_sync(self.sync);
        Ok(self.db.write_opt(batch, &options)?)
    }

    /// Writes what is in memory to disk files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn flush(&self) -> Result<(), StoreError> {
        for name in COLUMN_FAMILIES {
            self.db.flush_cf(self.family(name)?)?;
        }
        Ok(())
    }

    /// Rewrites all data in its most compact form. Takes time in proportion to the data.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.flush()?;
        let mut options = CompactOptions::default();
        // Otherwise what lies in one file alone is moved to the last level as it is.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        for name in COLUMN_FAMILIES {
            self.db.compact_range_cf_opt(self.family(name)?, None::<&[u8]>, None::<&[u8]>, &options);
        }
        Ok(())
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(name).ok_or(StoreError::Damaged {
            family: name,
            key: String::new(),
            what: "the column family itself",
        })
    }

    fn read_page(&self, key: &[u8]) -> Result<Option<StoredPage>, StoreError> {
        page_from(key, self.db.get_pinned_cf(self.family(PAGES)?, key)?)
    }

    fn read_outlinks(&self, url: &CanonicalUrl, key: &[u8]) -> Result<Vec<OutlinkRecord>, StoreError> {
        outlinks_from(url, key, self.db.get_pinned_cf(self.family(OUTLINKS)?, key)?)
    }
}

/// The page stored under a key, from its value as the database or a snapshot gave it.
fn page_from(key: &[u8], value: Option<DBPinnableSlice<'_>>) -> Result<Option<StoredPage>, StoreError> {
    let decode = |value: DBPinnableSlice<'_>| values::decode_page(&value);
    value.map(decode).transpose().map_err(|damage| StoreError::damaged(PAGES, key, damage.0))
}

/// The links stored under a page's key, likewise; none where there is no value.
fn outlinks_from(
    url: &CanonicalUrl,
    key: &[u8],
    value: Option<DBPinnableSlice<'_>>,
) -> Result<Vec<OutlinkRecord>, StoreError> {
    let decode = |value: DBPinnableSlice<'_>| values::decode_outlinks(url, &value);
    value.map_or(Ok(Vec::new()), decode).map_err(|damage| StoreError::damaged(OUTLINKS, key, damage.0))
}

/// A directory with other people's files in it is no data directory.
fn refuse_foreign(directory: &Path) -> Result<(), StoreError> {
    let unusable = |reason: String| StoreError::Directory { directory: directory.to_owned(), reason };
    let mut entries = std::fs::read_dir(directory).map_err(|error| unusable(error.to_string()))?;
    let own = ["CURRENT", "LOCK", "IDENTITY"].iter().any(|name| directory.join(name).exists());
    if !own && entries.next().is_some() {
        return Err(unusable(
            "it holds files of something else; give an empty or a new directory".to_owned(),
        ));
    }
    if !directory.join("CURRENT").exists() {
        return Ok(());
    }
    match schema::foreign(directory).map_err(|error| opening(directory, error))? {
        Some(reason) => Err(unusable(reason)),
        None => meta::refuse_earlier(directory),
    }
}

/// RocksDB tells a held lock by text alone.
fn opening(directory: &Path, error: rocksdb::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("lock hold by current process") || text.contains("While lock file") {
        return StoreError::InUse(directory.to_owned());
    }
    if error.kind() == rocksdb::ErrorKind::IOError {
        return StoreError::Directory { directory: directory.to_owned(), reason: text };
    }
    StoreError::Database(error)
}
