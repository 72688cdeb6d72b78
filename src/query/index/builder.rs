//! The builder: builds each index once, however many clients request it, and writes indexes to disk.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::build_queue::{Job, JobQueue, QueuedBuild};
use super::cache::IndexCache;
use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ExtraDependency, ValueOrigin};
use super::file::FileMetadata;
use super::head::HEAD_ROWS;
use super::{IndexMetrics, IndexedRows};
use crate::query::aggregates::statistics::BacklinkStatistics;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::table::Table;
use crate::query::lookup::SnapshotLookup;
use crate::query::state::PresentState;
use crate::query::{CancelOnDrop, Deadline, QueryError, Scan, Selection};
use crate::threads::lower_priority;

/// Builder threads have no deadline of their own.
const NO_DEADLINE: Duration = Duration::MAX;

/// Time between two checks whether the client of a query still waits.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The threads that build indexes and write them.
pub(super) struct Builder {
    /// The builds in progress.
    building: Mutex<HashMap<BuildKey, Arc<Build>>>,
    jobs: Arc<Jobs>,
    threads: Vec<JoinHandle<()>>,
    /// Cancels the builds in progress when it is dropped.
    running: Option<CancelOnDrop>,
}

/// What a query needs of an index.
#[derive(Clone, Copy)]
pub(super) struct BuildRequest {
    pub rows: RowKind,
    /// Whether the summary of the same state is needed too.
    pub summarized: bool,
    /// The time after which the first rows are enough.
    pub wait: Option<Duration>,
}

/// The selection of an index and the kind of its rows.
type BuildKey = (Arc<Selection>, RowKind);

type Jobs = JobQueue<Arc<Build>, (EntryKey, CacheEntry)>;

/// The build of one index.
struct Build {
    selection: Arc<Selection>,
    rows: RowKind,
    state: Mutex<BuildState>,
    changed: Condvar,
    /// The number of waiting queries.
    waiting: AtomicUsize,
    /// Whether a query has received the preview, so that its client may ask again for all rows.
    previewed: AtomicBool,
    /// Whether a query needs the summary, too.
    summarized: AtomicBool,
}

/// A query that waits for a build. It is counted until it is dropped.
struct Waiter<'a>(&'a Build);

impl<'a> Waiter<'a> {
    fn register(build: &'a Build) -> Self {
        build.waiting.fetch_add(1, Ordering::AcqRel);
        Self(build)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl QueuedBuild for Arc<Build> {
    fn has_waiters(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn is_wanted(&self) -> bool {
        self.has_waiters() || self.previewed.load(Ordering::Acquire)
    }

    fn abandon(&self) {
        self.set(BuildState::Cancelled);
    }
}

#[derive(Clone)]
enum BuildState {
    /// No rows have been read yet.
    Begun,
    /// The first rows are available.
    Preview(IndexedRows),
    Done(IndexedRows),
    /// The build ended without a result. Its waiters start it again.
    Cancelled,
    /// The build failed for this reason, which its waiters get. The next query tries it again.
    Failed(Arc<str>),
}

impl Builder {
    pub(super) fn start(cache: &Arc<IndexCache>) -> io::Result<Self> {
        let deadline = Deadline::after(NO_DEADLINE);
        let jobs = Arc::new(Jobs::new(cache.config.max_waiting_builds));
        let threads = (0..cache.config.builders)
            .map(|_| {
                let (cache, jobs, deadline) = (Arc::clone(cache), Arc::clone(&jobs), deadline.clone());
                let thread = std::thread::Builder::new().name("search-index".to_owned());
                thread.spawn(move || run_worker(&cache, &jobs, &deadline))
            })
            .collect::<io::Result<Vec<_>>>()?;
        let running = Some(deadline.cancel_on_drop());
        Ok(Self { building: Mutex::default(), jobs, threads, running })
    }

    /// Queues a view to be written to disk.
    pub(super) fn write(&self, key: EntryKey, entry: CacheEntry) {
        self.jobs.write((key, entry));
    }

    /// The number of queued builds and the counts of dropped jobs.
    pub(super) fn metrics(&self) -> IndexMetrics {
        self.jobs.metrics()
    }

    /// The rows of a selection: all of them, or the first ones if reading them all takes longer than `wait`. A build
    /// that is nearly ready may end without the summary.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub(super) fn build(
        &self,
        cache: &IndexCache,
        selection: &Arc<Selection>,
        request: BuildRequest,
        deadline: &Deadline,
    ) -> Result<IndexedRows, QueryError> {
        let BuildRequest { rows, summarized, wait } = request;
        let begun = SystemTime::now();
        let until = wait.map(|wait| Instant::now() + wait);
        loop {
            let (build, is_first) = self.find_or_insert(selection, rows);
            let _waiter = Waiter::register(&build);
            build.summarized.fetch_or(summarized, Ordering::AcqRel);
            if is_first {
                self.read_preview(cache, &build, deadline)?;
            }
            let Some(indexed) = build.wait(until, deadline)? else { continue };
            if indexed.origin.read_at >= begun {
                return Ok(indexed);
            }
            // A build that started before this query may be too old for it.
            let dependencies = Dependencies { rows, extra: ExtraDependency::None };
            let freshness = cache.freshness(selection, dependencies, indexed.origin)?;
            if let Some(origin) = indexed.origin.checked(freshness) {
                return Ok(IndexedRows { origin, ..indexed });
            }
            if !indexed.is_complete {
                return Ok(indexed);
            }
        }
    }

    /// The build of a selection, and whether it is new.
    fn find_or_insert(&self, selection: &Arc<Selection>, rows: RowKind) -> (Arc<Build>, bool) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        building.retain(|_, build| matches!(*build.state(), BuildState::Begun | BuildState::Preview(_)));
        let key = (Arc::clone(selection), rows);
        if let Some(build) = building.get(&key) {
            return (Arc::clone(build), false);
        }
        let state = Mutex::new(BuildState::Begun);
        let build = Arc::new(Build {
            selection: Arc::clone(selection),
            rows,
            state,
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            previewed: AtomicBool::new(false),
            summarized: AtomicBool::new(false),
        });
        building.insert(key, Arc::clone(&build));
        (build, true)
    }

    /// Reads the first rows, and queues the build if there are more.
    fn read_preview(
        &self,
        cache: &IndexCache,
        build: &Arc<Build>,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        let guard = CancelBuildOnDrop(build);
        let indexed = read_rows(cache, build, cache.config.preview_rows, deadline)?;
        if indexed.is_complete {
            complete(cache, build, indexed);
        } else {
            build.set(BuildState::Preview(indexed));
            self.jobs.build(Arc::clone(build));
        }
        drop(guard);
        Ok(())
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        drop(self.running.take());
        self.jobs.close();
        for thread in self.threads.drain(..) {
            // The panic of a thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// Marks a build as cancelled if it ends without a result, so that its waiters start it again.
struct CancelBuildOnDrop<'a>(&'a Build);

impl Drop for CancelBuildOnDrop<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if matches!(*state, BuildState::Begun) {
            *state = BuildState::Cancelled;
            self.0.changed.notify_all();
        }
    }
}

impl Build {
    fn state(&self) -> MutexGuard<'_, BuildState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: BuildState) {
        *self.state() = state;
        self.changed.notify_all();
    }

    /// Waits for all rows, or from `until` on for the preview. `None` when the build was cancelled.
    fn wait(&self, until: Option<Instant>, deadline: &Deadline) -> Result<Option<IndexedRows>, QueryError> {
        let mut state = self.state();
        loop {
            match &*state {
                BuildState::Done(indexed) => return Ok(Some(indexed.clone())),
                BuildState::Preview(indexed) if until.is_some_and(|until| until <= Instant::now()) => {
                    self.previewed.store(true, Ordering::Release);
                    return Ok(Some(indexed.clone()));
                }
                BuildState::Cancelled => return Ok(None),
                BuildState::Failed(reason) => return Err(QueryError::Build(Arc::clone(reason))),
                BuildState::Begun | BuildState::Preview(_) => {}
            }
            deadline.check()?;
            let left = until.map_or(CHECK_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
            let pause = left.clamp(Duration::from_millis(1), CHECK_INTERVAL);
            state = self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The loop of a builder thread.
fn run_worker(cache: &IndexCache, jobs: &Jobs, deadline: &Deadline) {
    lower_priority();
    while let Some(job) = jobs.next() {
        if deadline.check().is_err() {
            return;
        }
        match job {
            Job::Build(build) => match read_rows(cache, &build, usize::MAX, deadline) {
                Ok(indexed) => {
                    complete(cache, &build, indexed.clone());
                    if indexed.row_set.rows() >= cache.config.disk_min_rows {
                        write_row_set(cache, &build, &indexed, deadline);
                    }
                }
                Err(error) => {
                    build.set(match error {
                        QueryError::Deadline => BuildState::Cancelled,
                        error => BuildState::Failed(error.to_string().into()),
                    });
                }
            },
            Job::Write((key, entry)) => write_view(cache, &key, &entry, deadline),
        }
    }
}

/// Caches a complete index and hands it to the waiters.
fn complete(cache: &IndexCache, build: &Build, indexed: IndexedRows) {
    cache.insert_rows(&build.selection, build.rows, &indexed);
    if let Some(built) = indexed.summary.clone() {
        cache.insert_summary(&build.selection, built);
    }
    build.set(BuildState::Done(indexed));
}

/// Reads the first `limit` rows of a selection, and computes their statistics.
fn read_rows(
    cache: &IndexCache,
    build: &Build,
    limit: usize,
    deadline: &Deadline,
) -> Result<IndexedRows, QueryError> {
    let read_at = SystemTime::now();
    let present = cache.present()?;
    let indexed = read_rows_in(cache, &present, (&build.selection, build.rows), (limit, read_at), deadline)?;
    let is_needed = indexed.is_complete && build.summarized.load(Ordering::Acquire);
    let summary = match indexed.statistics.clone().filter(|_| is_needed) {
        Some(statistics) => {
            Some(cache.build_summary(&present, &build.selection, statistics, read_at, deadline)?)
        }
        None => None,
    };
    Ok(IndexedRows { summary, ..indexed })
}

/// Reads the first `limit` rows of a selection from a snapshot that was taken after `read_at`, and computes their statistics.
pub(super) fn read_rows_in(
    cache: &IndexCache,
    present: &PresentState<'_>,
    (selection, rows): (&Selection, RowKind),
    (limit, read_at): (usize, SystemTime),
    deadline: &Deadline,
) -> Result<IndexedRows, QueryError> {
    let (snapshot, suffixes) = (&present.snapshot, &*cache.suffixes);
    let dependencies = Dependencies { rows, extra: ExtraDependency::None };
    let version = cache.current_version(selection, dependencies, snapshot)?;
    let scan = Scan { snapshot, selection, suffixes, deadline };
    let lookup = SnapshotLookup { snapshot, suffixes, deadline };
    let reading = RowSet::read(&scan, rows, limit, &lookup)?;
    let statistics = match &reading.history {
        Some(history) => Some(Arc::new(BacklinkStatistics::of(&reading.row_set, history, deadline)?)),
        None => None,
    };
    let row_set = Arc::new(reading.row_set);
    let (current_at_change, state) = (Some(present.current_at_change), Some(present.state));
    let origin = ValueOrigin { version, read_at, current_at_change, state };
    Ok(IndexedRows { row_set, statistics, origin, is_complete: reading.is_complete, summary: None })
}

fn write_row_set(cache: &IndexCache, build: &Build, indexed: &IndexedRows, deadline: &Deadline) {
    let IndexedRows { row_set, statistics, origin, .. } = indexed;
    let key = EntryKey::new(&build.selection, EntryKind::RowSet(build.rows));
    let metadata = FileMetadata {
        key: key.to_string(),
        version: origin.version,
        read_at: origin.read_at,
        state: origin.state,
        rows: row_set.rows(),
        active_rows: row_set.active_rows,
        links: row_set.active_rows as u64,
        statistics: statistics.as_ref().and_then(|statistics| serde_json::to_value(&**statistics).ok()),
    };
    write_file(cache, &key, &metadata, &row_set.table, row_set.active_rows, deadline);
}

fn write_view(cache: &IndexCache, key: &EntryKey, entry: &CacheEntry, deadline: &Deadline) {
    let CacheValue::View(view) = &entry.value else { return };
    let metadata = FileMetadata {
        key: key.to_string(),
        version: entry.origin.version,
        read_at: entry.origin.read_at,
        state: entry.origin.state,
        rows: view.rows(),
        active_rows: view.rows(),
        links: view.links,
        statistics: None,
    };
    let columns = view.columns().iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    write_file(cache, key, &metadata, &Table::new(view.rows(), columns), view.rows(), deadline);
}

/// Writes a table. Its head comes from the first `active_rows` rows.
fn write_file(
    cache: &IndexCache,
    key: &EntryKey,
    metadata: &FileMetadata,
    whole: &Table,
    active_rows: usize,
    deadline: &Deadline,
) {
    let first: Vec<u32> = (0..active_rows.min(HEAD_ROWS) as u32).collect();
    // The deadline only expires when the builder shuts down. Then nothing more is written.
    let Ok(head) = whole.pick_compact(&first, deadline) else { return };
    if let Err(error) = cache.disk.write(key, metadata, &head, whole) {
        cache.disk.log_write_failure(&error);
    }
}
