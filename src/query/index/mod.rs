//! The search indexes, from which lists and statistics are answered.
//!
//! An index is all rows of a [`Selection`] in columns ([`RowSet`]), the statistics of them, and a [`View`] per
//! listing. The first query to a selection builds it: up to `search.preview_rows` rows while the client
//! waits, the rest in the background. Queries that arrive meanwhile wait up to `search.patience`. Then they
//! are answered from the preview, and the answer is marked as unfinished. Indexes are cached in memory and on
//! disk, each within a budget in bytes; the least recently used one is evicted first.
//!
//! Every cached value records the version of the store that it was computed from. It is used while that
//! version is current, and then until `search.refresh` has passed since its rows were read. An empty value is
//! only used while it is current. Counts are always current.
//!
//! Input: the store. Output: pages, distributions, statistics and counts. The module knows no HTTP.

mod build_queue;
mod builder;
mod cache;
mod counts;
mod disk;
mod entry;
mod export;
mod file;
mod head;
pub(super) mod rows;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use self::export::IndexedChunk;

use self::builder::{BuildRequest, Builder};
use self::cache::{ComputedView, IndexCache};
use self::disk::DiskCache;
use self::entry::{
    BuiltSummary, CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ExtraDependency, StoreVersion,
    ValueOrigin,
};
use crate::config::SearchConfig;
use crate::lru::Lru;
use crate::query::aggregates::statistics::BacklinkStatistics;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::state::StateClock;
use crate::query::{
    Deadline, Distribution, IndexState, LinkStates, Listing, Plan, QueryError, RowPage, Selection,
    SiteIndexes, View, Window,
};
use crate::store::Store;

/// The search indexes of a store. Share them by `Arc`. Their threads end when they are dropped. Counts, exports and
/// summaries are in files of these names.
pub struct SearchIndexes {
    cache: Arc<IndexCache>,
    builder: Builder,
    sites: SiteIndexes,
}

/// An answer and the state of its data.
#[derive(Debug)]
pub struct IndexAnswer<T> {
    pub answer: T,
    /// Whether it is computed from all rows.
    pub is_complete: bool,
    /// Whether it is of the present state of the store. If not, it is younger than `search.refresh`.
    pub current: bool,
    /// The state of the store that it is of; `None` if its parts are of several states.
    pub state: Option<IndexState>,
}

impl<T> IndexAnswer<T> {
    /// An answer that is computed from all rows.
    fn complete(answer: T, origin: &ValueOrigin) -> Self {
        Self { answer, is_complete: true, current: origin.is_current(), state: origin.state }
    }

    fn with<U>(&self, answer: U) -> IndexAnswer<U> {
        IndexAnswer { answer, is_complete: self.is_complete, current: self.current, state: self.state }
    }
}

/// How long a query waits for an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Up to `search.patience`; then the preview is used.
    Short,
    /// Until the index is complete, or the deadline is over.
    Full,
}

/// The rows of a selection: all of them, or the first ones.
#[derive(Clone, Debug)]
struct IndexedRows {
    row_set: Arc<RowSet>,
    /// The statistics of all backlinks; `None` for other kinds of rows.
    statistics: Option<Arc<BacklinkStatistics>>,
    origin: ValueOrigin,
    /// Whether these are all rows.
    is_complete: bool,
    /// The summary of the same state, if a query asked for it and these are all rows.
    summary: Option<BuiltSummary>,
}

/// The size of the caches, and the counts of queued and dropped jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexMetrics {
    pub memory_bytes: usize,
    pub memory_entries: usize,
    pub disk_bytes: usize,
    pub disk_files: usize,
    /// Indexes that wait to be built.
    pub builds_waiting: usize,
    /// Builds dropped since the start because all clients that requested them had gone.
    pub builds_abandoned: u64,
    /// Builds dropped since the start because the queue was full.
    pub builds_displaced: u64,
    /// Indexes not written to disk since the start because too many writes waited.
    pub writes_dropped: u64,
}

impl SearchIndexes {
    /// Opens the cache on disk and starts the builder threads.
    ///
    /// # Errors
    /// [`std::io::Error`] when the directory cannot be used or a thread cannot be started.
    pub fn open(store: Arc<Store>, config: SearchConfig) -> std::io::Result<Self> {
        let directory = match config.directory.as_os_str().is_empty() {
            true => store.directory().join("searches"),
            false => PathBuf::from(&config.directory),
        };
        let states = Arc::new(StateClock::default());
        let sites = SiteIndexes::new(&store, &config, &states);
        let cache = Arc::new(IndexCache {
            suffixes: Arc::clone(store.suffixes()),
            memory: Mutex::new(Lru::new(config.memory_bytes)),
            disk: DiskCache::open(directory, config.disk_bytes)?,
            store,
            config,
            states,
        });
        let builder = Builder::start(&cache)?;
        Ok(Self { cache, builder, sites })
    }

    /// The directory of the files of this process.
    pub fn directory(&self) -> &Path {
        self.cache.disk.directory()
    }

    /// Answers about the whole index.
    pub fn sites(&self) -> &SiteIndexes {
        &self.sites
    }

    /// The present metrics.
    pub fn metrics(&self) -> IndexMetrics {
        let (memory_bytes, memory_entries) = self.cache.memory().size();
        let (disk_bytes, disk_files) = self.cache.disk.size();
        let waiting = self.builder.metrics();
        IndexMetrics { memory_bytes, memory_entries, disk_bytes, disk_files, ..waiting }
    }

    /// The rows of a window.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub fn page(
        &self,
        selection: &Arc<Selection>,
        query: &ListQuery<'_>,
        window: Window,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<RowPage>, QueryError> {
        if let Some(head) = self.head(selection, query, deadline)?
            && let Some(answer) = head.answer.page(query.plan, window, deadline)?
        {
            return Ok(head.with(answer));
        }
        let view = self.view(selection, query, deadline)?;
        Ok(view.with(view.answer.page(query.plan, window, deadline)?))
    }

    /// The first `top` groups, and the sum of the others.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn distribution(
        &self,
        selection: &Arc<Selection>,
        query: &ListQuery<'_>,
        top: usize,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<Distribution>, QueryError> {
        let view = self.view(selection, query, deadline)?;
        Ok(view.with(view.answer.distribution(query.plan, top, deadline)?))
    }

    /// The statistics of all backlinks of a selection.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn statistics(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<Arc<BacklinkStatistics>>, QueryError> {
        let dependencies = Dependencies { rows: RowKind::Backlinks, extra: ExtraDependency::None };
        let key = EntryKey::new(selection, EntryKind::Statistics);
        if let Some(CacheEntry { value: CacheValue::Statistics(statistics), origin }) =
            self.cache.get(&key, dependencies)?
        {
            return Ok(IndexAnswer::complete(statistics, &origin));
        }
        let IndexedRows { statistics, origin, is_complete, .. } =
            self.rows(selection, dependencies, WaitPolicy::Full, deadline)?;
        let answer = statistics.ok_or_else(|| QueryError::Declaration("statistics".to_owned()))?;
        Ok(IndexAnswer { answer, is_complete, current: origin.is_current(), state: origin.state })
    }

    /// Whether a complete answer of a listing needs no build.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub fn is_ready(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
    ) -> Result<bool, QueryError> {
        if !listing.rows.is_stored() {
            return Ok(false);
        }
        let dependencies = Dependencies::of(listing);
        for kind in [EntryKind::View(listing.name, LinkStates::Active), EntryKind::RowSet(listing.rows)] {
            let key = EntryKey::new(selection, kind);
            if self.cache.get(&key, dependencies)?.is_some()
                || self.cache.open_file(&key, dependencies)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The view of a listing, from the cache or computed.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn view(
        &self,
        selection: &Arc<Selection>,
        query: &ListQuery<'_>,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<Arc<View>>, QueryError> {
        let ListQuery { listing, link_states, wait, .. } = *query;
        let (cache, dependencies) = (&self.cache, Dependencies::of(listing));
        let key = EntryKey::new(selection, EntryKind::View(listing.name, link_states));
        if let Some(CacheEntry { value: CacheValue::View(view), origin }) = cache.get(&key, dependencies)? {
            return Ok(IndexAnswer::complete(view, &origin));
        }
        if listing.group_by.is_some()
            && let Some((view, origin)) = self.view_in_file(listing, &key, deadline)?
        {
            return Ok(IndexAnswer::complete(view, &origin));
        }
        let indexed = self.rows(
            selection,
            Dependencies { extra: ExtraDependency::None, ..dependencies },
            wait,
            deadline,
        )?;
        let ComputedView { view, extra, state } = cache.build_view(selection, query, &indexed, deadline)?;
        let view = Arc::new(view);
        if indexed.is_complete {
            let version = StoreVersion { extra, ..indexed.origin.version };
            let origin = ValueOrigin::unchecked(version, indexed.origin.read_at, state);
            let entry = CacheEntry { value: CacheValue::View(Arc::clone(&view)), origin };
            cache.insert(key.clone(), entry.clone());
            if listing.group_by.is_some() && indexed.row_set.rows() >= cache.config.disk_min_rows {
                self.builder.write(key, entry);
            }
        }
        let IndexedRows { is_complete, origin, .. } = indexed;
        Ok(IndexAnswer { answer: view, is_complete, current: origin.is_current(), state })
    }

    /// The view of a listing with groups from its index file, and its origin, if it may be used.
    fn view_in_file(
        &self,
        listing: &'static Listing,
        key: &EntryKey,
        deadline: &Deadline,
    ) -> Result<Option<(Arc<View>, ValueOrigin)>, QueryError> {
        let cache = &self.cache;
        let Some((reader, origin)) = cache.open_file(key, Dependencies::of(listing))? else {
            return Ok(None);
        };
        match reader.all_rows(deadline) {
            Ok(table) => {
                let view = Arc::new(View::of_table(listing, &table, reader.metadata().links)?);
                cache.insert(key.clone(), CacheEntry { value: CacheValue::View(Arc::clone(&view)), origin });
                Ok(Some((view, origin)))
            }
            Err(error) => {
                cache.discard_file(key, &error)?;
                Ok(None)
            }
        }
    }

    /// The rows of a selection: from the cache, or built as far as the wait policy allows.
    fn rows(
        &self,
        selection: &Arc<Selection>,
        dependencies: Dependencies,
        wait: WaitPolicy,
        deadline: &Deadline,
    ) -> Result<IndexedRows, QueryError> {
        let wait = match wait {
            WaitPolicy::Short => Some(self.cache.config.patience.0),
            WaitPolicy::Full => None,
        };
        if let Some(indexed) = self.cache.rows(selection, dependencies, deadline)? {
            return Ok(indexed);
        }
        let request = BuildRequest { rows: dependencies.rows, summarized: false, wait };
        self.builder.build(&self.cache, selection, request, deadline)
    }
}

/// A query to a listing.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'a> {
    pub listing: &'static Listing,
    pub link_states: LinkStates,
    pub plan: &'a Plan,
    pub wait: WaitPolicy,
}
