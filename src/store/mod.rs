//! The database: pages, links, backlinks, queue, ranks and users in RocksDB. The only importer of `rocksdb`.
//!
//! In: [`Commit`]s of page records, through one door ([`Store::commit`]), and the ranks of a finished
//! computation. Out: a [`Snapshot`], one consistent state that is read by scope. Invariants, whatever crash
//! comes between: a page record is stored with all its links, backlinks and counts or not at all; `pairs` are the
//! sums of the active `backlinks`; a URL is in the queue until its record is stored.
//!
//! It does not decide what is fetched, and it knows no HTTP. All calls block: call them off the async threads.

mod batches;
mod beside;
mod changes;
mod codec;
mod commit;
mod days;
mod diff;
mod error;
mod figures;
mod hosts;
mod keys;
mod known;
mod lookup;
mod meta;
mod pairs;
mod presence;
mod private;
mod queue;
mod ranks;
mod salvage;
mod schema;
mod seen;
mod shown;
mod sitemaps;
mod snapshot;
mod values;
mod verify;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, DBPinnableSlice, WriteBatch, WriteOptions,
};
use rustc_hash::FxHashMap;

use crate::config::StoreConfig;
use crate::frontier::{Arrival, Found, QueueName, QueuedUrl, RecrawlRules, Target};
use crate::model::{HostFailure, OutlinkRecord, PageRecord, StoredPage};
use crate::urls::{CanonicalUrl, Suffixes, Surt};

pub use batches::{BacklinkBatch, BacklinkView};
pub use changes::Changes;
pub use error::StoreError;
pub use figures::{FamilyFigures, StoreFigures};
pub use keys::backlink_key;
pub use lookup::PageStatus;
pub use meta::Stats;
pub use pairs::{HostPair, PairCounts};
pub use private::{keep_private, make_private_directory};
pub use schema::{COLUMN_FAMILIES, FORMAT};
pub use seen::MetLately;
pub use snapshot::{Keyed, PageLinks, Rows, Snapshot};
pub use verify::{Finding, Findings, VerifyOptions, VerifyProgress};

use commit::Stage;
use diff::Bounds;
use presence::{refuse_absent, refuse_foreign};
use schema::{META, OUTLINKS, PAGES};
use seen::{Known, Writer};
use sitemaps::SitemapRows;

/// Pages put without having been queued that wait to be known, at most: what they take in memory (16 bytes each).
const MOST_PUT: usize = 1 << 20;

/// The database. Share it by `Arc`.
pub struct Store {
    db: DB,
    directory: PathBuf,
    suffixes: Arc<Suffixes>,
    sync: bool,
    batch_pages: usize,
    bounds: Bounds,
    /// Hosts that one queued sitemap is kept with.
    sitemap_hosts: usize,
    /// Serialises commits, and remembers what they saw.
    writer: Mutex<Writer>,
    /// What the writer knows, for those who look into it.
    seen: Arc<Known>,
    recrawl: Mutex<RecrawlRules>,
    /// URLs that wait to be held against the set of known ones, and URLs in it.
    met_urls: AtomicUsize,
    known_urls: AtomicU64,
    /// Of the last commit that changed anything. Raised by whoever holds the writer's lock.
    change_number: AtomicU64,
    /// Raised with every change of the API's users.
    users_number: AtomicU64,
    /// Whether there are any.
    has_users: AtomicBool,
    /// Held while they are changed.
    changing_users: Mutex<()>,
    /// Of a store that is read beside another process: what RocksDB keeps for it.
    beside: Option<tempfile::TempDir>,
}

/// A unit of work done by the crawl, stored in one atomic batch.
#[derive(Debug, Default)]
pub struct Commit {
    pub records: Vec<PageRecord>,
    /// URLs that leave the queue, fetched.
    pub done: Vec<QueuedUrl>,
    /// URLs that leave the queue without having been fetched, and are looked at again at this Unix time.
    pub put_off: Vec<(QueuedUrl, u64)>,
    /// URLs that leave the queue because they were fetched already.
    pub withdrawn: Vec<QueuedUrl>,
    /// URLs that stay in the queue with one more failed attempt.
    pub retried: Vec<QueuedUrl>,
    /// URLs met, known or not.
    pub found: Vec<Found>,
    /// Hosts that are left alone until this Unix time.
    pub asleep: Vec<(QueueName, u64)>,
    /// Requests that failed, with the host that remembers them.
    pub failures: Vec<(QueueName, HostFailure)>,
}

impl Store {
    /// Opens the database in `directory`, making it if it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be used, is in use by another process, or has another format.
    pub fn open(directory: &Path, config: &StoreConfig, suffixes: Arc<Suffixes>) -> Result<Self, StoreError> {
        make_private_directory(directory).map_err(|error| StoreError::Directory {
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
        salvage::finish_exchange(directory)?;
        refuse_absent(directory)?;
        Self::open_with(directory, config, suffixes, false)
    }

    fn open_with(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
        create: bool,
    ) -> Result<Self, StoreError> {
        private::refuse_links(directory)?;
        salvage::finish_exchange(directory)?;
        refuse_foreign(directory)?;
        private::refuse_other_owner(directory)?;
        keep_private(directory);
        let db = schema::open(directory, config, create).map_err(|error| opening(directory, error))?;
        let mut store = Self::over(db, directory, config, suffixes);
        store.check_format(config.upgrade)?;
        store.look_for_users()?;
        store.resume_numbers()?;
        store.open_seen()?;
        Ok(store)
    }

    fn over(db: DB, directory: &Path, config: &StoreConfig, suffixes: Arc<Suffixes>) -> Self {
        let seen = Arc::new(Known::default());
        Self {
            db,
            directory: directory.to_owned(),
            suffixes,
            sync: config.sync,
            batch_pages: config.batch_pages,
            bounds: Bounds { former: config.max_former_links, absences: config.max_absences },
            sitemap_hosts: config.max_sitemap_hosts,
            writer: Mutex::new(Writer::new(&seen)),
            seen,
            recrawl: Mutex::default(),
            met_urls: AtomicUsize::new(0),
            known_urls: AtomicU64::new(0),
            change_number: AtomicU64::new(0),
            users_number: AtomicU64::new(0),
            has_users: AtomicBool::new(false),
            changing_users: Mutex::default(),
            beside: None,
        }
    }

    /// Opens the set of known URLs. It can be told from the rest of the index, so one that is damaged is made anew.
    fn open_seen(&self) -> Result<(), StoreError> {
        let opened = match Writer::open(self) {
            Err(error @ (StoreError::Seen(_) | StoreError::Damaged { family: META, .. })) => {
                tracing::warn!(%error, "the set of known URLs is damaged, and made anew from pages and queue");
                self.rebuild_seen()?;
                Writer::open(self)
            }
            opened => opened,
        };
        let writer = opened?;
        writer.clear_away()?;
        *self.lock() = writer;
        Ok(())
    }

    /// Has so many URLs remembered that were met lately (8 bytes each).
    pub fn set_seen_cache(&self, urls: usize) {
        self.lock().lately = MetLately::new(urls);
    }

    /// The URLs met lately, for whoever finds URLs and would be spared the repeats.
    pub fn met_lately(&self) -> Arc<MetLately> {
        Arc::clone(&self.lock().lately)
    }

    /// Says when pages are visited again.
    pub fn set_recrawl(&self, rules: RecrawlRules) {
        *self.recrawl.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    fn recrawl(&self) -> RecrawlRules {
        *self.recrawl.lock().unwrap_or_else(PoisonError::into_inner)
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
            if self.met_urls() >= MOST_PUT {
                self.merge_met()?;
            }
        }
        Ok(())
    }

    /// Stores a commit in one atomic batch; gives back the queues that URLs wanted again came into. New URLs wait for
    /// [`Self::merge_met`]. A commit that has two records of one URL, or more than a batch has room for, is stored in
    /// several batches, the queue's changes with the last.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record it needs is damaged; then nothing of the batch is stored.
    pub fn commit(&self, commit: Commit) -> Result<Vec<Arrival>, StoreError> {
        let mut writer = self.lock();
        let mut stage = Stage::new(self);
        stage.announce(&commit.done, &commit.retried);
        let put_off = last_put_off(&commit);
        for record in commit.records {
            if stage.has_no_room_for(&record.url) {
                let next = stage.successor();
                self.write_stage(std::mem::replace(&mut stage, next))?;
            }
            stage.record(record)?;
        }
        for entry in commit.done.iter().filter(|entry| entry.priority.is_new_page()) {
            stage.hosts.host(self, QueueName::of(&entry.url))?.pages += 1;
        }
        for (queue, until) in commit.asleep {
            stage.hosts.host(self, queue)?.asleep_until = until;
        }
        for (queue, failure) in commit.failures {
            stage.hosts.host(self, queue)?.add_failure(failure);
        }
        let unasked = std::mem::take(&mut stage.unasked);
        let (batch, mut sitemaps) = (&mut stage.batch, SitemapRows::default());
        for entry in &commit.retried {
            if !sitemaps.add(self, entry)? {
                self.stage_entry(batch, entry)?;
            }
        }
        let left = commit.put_off.iter().map(|(entry, _)| entry);
        for entry in commit.done.iter().chain(&commit.withdrawn).chain(left) {
            if !sitemaps.take_off(self, entry)? {
                self.stage_off(batch, entry)?;
            }
        }
        for (url, (depth, next)) in put_off {
            self.stage_put_off(batch, &url, depth, next)?;
        }
        let (met, arrivals) = self.stage_found(batch, &mut sitemaps, &writer, commit.found, unasked)?;
        sitemaps.stage(self, batch)?;
        self.write_stage(stage)?;
        writer.remember(self, met);
        Ok(arrivals)
    }

    fn write_stage(&self, stage: Stage<'_>) -> Result<(), StoreError> {
        let (batch, changed) = stage.finish()?;
        if changed.is_empty() { self.write(batch) } else { self.write_numbered(batch, &changed) }
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.write_with(batch, self.sync)
    }

    /// Writes a batch; with `sync`, it and all before it are on disk then, whatever fails.
    fn write_with(&self, batch: WriteBatch, sync: bool) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
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

    /// A page as it is now.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page(&self, url: &CanonicalUrl) -> Result<Option<StoredPage>, StoreError> {
        self.read_page(Surt::from(url).as_bytes())
    }

    fn read_page(&self, key: &[u8]) -> Result<Option<StoredPage>, StoreError> {
        page_from(key, self.db.get_pinned_cf(self.family(PAGES)?, key)?)
    }

    fn read_outlinks(&self, url: &CanonicalUrl, key: &[u8]) -> Result<Vec<OutlinkRecord>, StoreError> {
        outlinks_from(url, key, self.db.get_pinned_cf(self.family(OUTLINKS)?, key)?)
    }
}

/// Of the pages that a commit puts off, the depth and the next visit: the last that was said. What the commit has a
/// record of has its next visit by that. A sitemap comes again with its robots.txt.
fn last_put_off(commit: &Commit) -> FxHashMap<CanonicalUrl, (u16, u64)> {
    let pages = commit.put_off.iter().filter(|(entry, _)| entry.target == Target::Page);
    let mut last: FxHashMap<CanonicalUrl, (u16, u64)> =
        pages.map(|(entry, next)| (entry.url.clone(), (entry.depth, *next))).collect();
    if !last.is_empty() {
        for record in &commit.records {
            last.remove(&record.url);
        }
    }
    last
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

/// The index's own list of seeds, in its data directory.
pub const SEEDS_FILE: &str = "seeds.txt";
/// Its own list of hosts that are not fetched, likewise.
pub const BLOCKS_FILE: &str = "blocks.txt";
/// The number of the daemon's process, likewise.
pub const PID_FILE: &str = "backlinkd.pid";
/// Where the process that has the store open is asked for changes, likewise.
pub const SOCKET_FILE: &str = "backlinkd.sock";

/// RocksDB tells a held lock by text alone.
fn opening(directory: &Path, error: rocksdb::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("lock hold by current process") || text.contains("While lock file") {
        return StoreError::InUse(directory.to_owned());
    }
    // It is there, for CURRENT is, but without a file that it names.
    if text.contains("No such file or directory") {
        return StoreError::Corrupt(text);
    }
    if error.kind() == rocksdb::ErrorKind::IOError {
        return StoreError::Directory { directory: directory.to_owned(), reason: text };
    }
    error.into()
}
