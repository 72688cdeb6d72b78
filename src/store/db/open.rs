//! The handle of the database: opening, flushing, compaction.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use rocksdb::{BottommostLevelCompaction, ColumnFamily, CompactOptions, DB};

use crate::config::StoreConfig;
use crate::policy::RevisitRules;
use crate::private_files::{keep_private, make_private_directory};
use crate::store::queue::seen_set::{SeenSet, WriteState};
use crate::store::write::diff::HistoryLimits;
use crate::store::{RecentUrls, Snapshot, StoreError, meta};
use crate::urls::Suffixes;

use super::directory::{refuse_absent, refuse_foreign};
use super::schema::{COLUMN_FAMILIES, META};
use super::{exchange, families, permissions};

/// The database. Share it by `Arc`.
pub struct Store {
    pub(in crate::store) db: DB,
    pub(in crate::store) directory: PathBuf,
    pub(in crate::store) suffixes: Arc<Suffixes>,
    pub(in crate::store) sync: bool,
    pub(in crate::store) batch_pages: usize,
    pub(in crate::store) history_limits: HistoryLimits,
    /// Visits to one imported page that are kept, at most.
    pub(in crate::store) max_past_visits: usize,
    /// Hosts that one queued sitemap may list URLs of, at most.
    pub(in crate::store) sitemap_hosts: usize,
    /// Serialises commits. Holds the state that commits share.
    pub(in crate::store) writer: Mutex<WriteState>,
    /// The seen set, readable without the writer's lock.
    pub(in crate::store) seen_set: Arc<SeenSet>,
    pub(in crate::store) revisit_rules: Mutex<RevisitRules>,
    /// URLs that wait for the next merge into the seen set, and URLs in the set.
    pub(in crate::store) unmerged_urls: AtomicUsize,
    pub(in crate::store) seen_urls: AtomicU64,
    /// The number of the last commit that changed anything. Raised only under the writer's lock.
    pub(in crate::store) change_number: AtomicU64,
    /// Raised with every change of the API's users.
    pub(in crate::store) users_number: AtomicU64,
    /// Whether the API has users.
    pub(in crate::store) has_users: AtomicBool,
    /// Held while users are changed.
    pub(in crate::store) changing_users: Mutex<()>,
    /// The folder for RocksDB's own files, if this is a secondary instance.
    pub(in crate::store) secondary_folder: Option<tempfile::TempDir>,
}

impl Store {
    /// Opens the database in `directory`. Creates it if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be used, is in use by another process, or has another format.
    pub fn open(directory: &Path, config: &StoreConfig, suffixes: Arc<Suffixes>) -> Result<Self, StoreError> {
        make_private_directory(directory).map_err(|error| StoreError::unusable(directory, error))?;
        Self::open_with(directory, config, suffixes, true)
    }

    /// Opens the database in `directory`, which must exist.
    ///
    /// # Errors
    /// As [`Self::open`], and [`StoreError::Absent`] when there is none.
    pub fn open_existing(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
    ) -> Result<Self, StoreError> {
        exchange::finish_exchange(directory)?;
        refuse_absent(directory)?;
        Self::open_with(directory, config, suffixes, false)
    }

    fn open_with(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
        create: bool,
    ) -> Result<Self, StoreError> {
        permissions::refuse_links(directory)?;
        exchange::finish_exchange(directory)?;
        refuse_foreign(directory)?;
        permissions::refuse_other_owner(directory)?;
        keep_private(directory);
        if !config.upgrade {
            meta::refuse_missing_families(directory)?;
        }
        let db = families::open(directory, config, create)
            .map_err(|error| StoreError::from_open(directory, error))?;
        let mut store = Self::with_database(db, directory, config, suffixes);
        store.check_or_stamp_format(config.upgrade)?;
        store.load_has_users()?;
        store.load_change_number()?;
        store.open_seen_set()?;
        Ok(store)
    }

    pub(in crate::store) fn with_database(
        db: DB,
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
    ) -> Self {
        let seen_set = Arc::new(SeenSet::default());
        Self {
            db,
            directory: directory.to_owned(),
            suffixes,
            sync: config.sync,
            batch_pages: config.batch_pages,
            history_limits: HistoryLimits { lost: config.max_former_links, absences: config.max_absences },
            max_past_visits: config.max_past_visits,
            sitemap_hosts: config.max_sitemap_hosts,
            writer: Mutex::new(WriteState::new(&seen_set)),
            seen_set,
            revisit_rules: Mutex::default(),
            unmerged_urls: AtomicUsize::new(0),
            seen_urls: AtomicU64::new(0),
            change_number: AtomicU64::new(0),
            users_number: AtomicU64::new(0),
            has_users: AtomicBool::new(false),
            changing_users: Mutex::default(),
            secondary_folder: None,
        }
    }

    /// Opens the seen set. A damaged set is rebuilt, because it can be derived from the rest of the index.
    fn open_seen_set(&self) -> Result<(), StoreError> {
        let opened = match WriteState::open(self) {
            Err(error @ (StoreError::Seen(_) | StoreError::Damaged { family: META, .. })) => {
                tracing::warn!(%error, "the set of seen URLs is damaged; it is rebuilt from pages and queue");
                self.rebuild_seen_set()?;
                WriteState::open(self)
            }
            opened => opened,
        };
        let writer = opened?;
        writer.delete_stale_files()?;
        *self.lock_writes() = writer;
        Ok(())
    }

    /// Sets the number of recent URLs that are cached (8 bytes each).
    pub fn set_seen_cache(&self, urls: usize) {
        self.lock_writes().recent = RecentUrls::new(urls);
    }

    /// The cache of recent URLs. A page extractor asks it first, to drop repeated links early.
    pub fn recent_urls(&self) -> Arc<RecentUrls> {
        Arc::clone(&self.lock_writes().recent)
    }

    /// Sets the rules for the time between two visits to a page.
    pub fn set_revisit_rules(&self, rules: RevisitRules) {
        *self.revisit_rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    pub(in crate::store) fn revisit_rules(&self) -> RevisitRules {
        *self.revisit_rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn suffixes(&self) -> &Arc<Suffixes> {
        &self.suffixes
    }

    /// A consistent snapshot of the current state.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self)
    }

    /// Flushes the memtables to files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn flush(&self) -> Result<(), StoreError> {
        for name in COLUMN_FAMILIES {
            self.db.flush_cf(self.family(name)?)?;
        }
        Ok(())
    }

    /// Compacts all data. Takes time in proportion to the size of the data.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.flush()?;
        let mut options = CompactOptions::default();
        // Without this option, RocksDB moves a file that overlaps no other to the last level without rewriting it.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        for name in COLUMN_FAMILIES {
            self.db.compact_range_cf_opt(self.family(name)?, None::<&[u8]>, None::<&[u8]>, &options);
        }
        Ok(())
    }

    pub(in crate::store) fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        families::family(&self.db, name)
    }
}
