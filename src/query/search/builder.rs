//! Builds indexes, each once at a time however many ask for it, and writes them to disk.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::file::Label;
use super::kept::{Kept, Key, Needs, Others, Part, What};
use super::queue::{Asked, Job, Queue};
use super::{HEAD_ROWS, Indexed, SearchFigures, Shared};
use crate::query::base::Base;
use crate::query::facts::Facts;
use crate::query::field::Rows;
use crate::query::lookup::Known;
use crate::query::table::Table;
use crate::query::{CancelOnDrop, Deadline, QueryError, Scan, Selection};
use crate::threads::lower_priority;

/// Builders have no end of their own.
const NO_END: Duration = Duration::MAX;

/// Time between two looks whether somebody still waits.
const LOOK: Duration = Duration::from_millis(100);

/// Threads that build and write.
pub(super) struct Builder {
    /// What is being built.
    building: Mutex<HashMap<BuildKey, Arc<Build>>>,
    jobs: Arc<Jobs>,
    threads: Vec<JoinHandle<()>>,
    /// Ends what is being built.
    running: Option<CancelOnDrop>,
}

/// What an index is of.
type BuildKey = (Arc<Selection>, Rows);

type Jobs = Queue<Arc<Build>, (Key, Kept)>;

/// One index being built.
struct Build {
    selection: Arc<Selection>,
    rows: Rows,
    progress: Mutex<Progress>,
    changed: Condvar,
    /// How many wait for it.
    waiting: AtomicUsize,
    /// Whether somebody has taken the first rows, and may come back for all.
    previewed: AtomicBool,
}

/// Somebody who waits for a build.
struct Waiter<'a>(&'a Build);

impl<'a> Waiter<'a> {
    fn of(build: &'a Build) -> Self {
        build.waiting.fetch_add(1, Ordering::AcqRel);
        Self(build)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Asked for Arc<Build> {
    fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn is_wanted(&self) -> bool {
        self.is_waited_for() || self.previewed.load(Ordering::Acquire)
    }

    fn give_up(&self) {
        self.set(Progress::Failed);
    }
}

#[derive(Clone)]
enum Progress {
    /// Nothing is there yet.
    Begun,
    /// The first rows.
    Preview(Indexed),
    Done(Indexed),
    /// It has to be begun anew.
    Failed,
    /// It cannot be built, for this reason; the next question tries it once more.
    Impossible(Arc<str>),
}

impl Builder {
    pub fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let deadline = Deadline::after(NO_END);
        let jobs = Arc::new(Jobs::new(shared.config.max_waiting_builds));
        let threads = (0..shared.config.builders)
            .map(|_| {
                let (shared, jobs, deadline) = (Arc::clone(shared), Arc::clone(&jobs), deadline.clone());
                let thread = std::thread::Builder::new().name("search-index".to_owned());
                thread.spawn(move || work(&shared, &jobs, &deadline))
            })
            .collect::<io::Result<Vec<_>>>()?;
        let running = Some(deadline.cancel_on_drop());
        Ok(Self { building: Mutex::default(), jobs, threads, running })
    }

    /// Writes a view to disk, some time.
    pub fn write(&self, key: Key, kept: Kept) {
        self.jobs.write((key, kept));
    }

    /// What waits, and what was dropped.
    pub fn figures(&self) -> SearchFigures {
        self.jobs.figures()
    }

    /// The rows of a selection: all of them, or the first ones when `patience` is over before all are read.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn build(
        &self,
        shared: &Shared,
        selection: &Arc<Selection>,
        rows: Rows,
        patience: Option<Duration>,
        deadline: &Deadline,
    ) -> Result<Indexed, QueryError> {
        let begun = SystemTime::now();
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            let (build, is_first) = self.enter(selection, rows);
            let _waiter = Waiter::of(&build);
            if is_first {
                self.begin(shared, &build, deadline)?;
            }
            let Some(indexed) = build.wait(until, deadline)? else { continue };
            if indexed.read_at >= begun {
                return Ok(indexed);
            }
            // What others began before this question was asked may be too old for it.
            let needs = Needs { rows, others: Others::Nothing };
            if let Some(valid_at) = shared.serves(selection, needs, indexed.stamp, indexed.read_at)? {
                return Ok(Indexed { current: valid_at.is_some(), ..indexed });
            }
            if !indexed.finished {
                return Ok(indexed);
            }
        }
    }

    /// The build of a selection, and whether it is new.
    fn enter(&self, selection: &Arc<Selection>, rows: Rows) -> (Arc<Build>, bool) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        building.retain(|_, build| matches!(*build.progress(), Progress::Begun | Progress::Preview(_)));
        let key = (Arc::clone(selection), rows);
        if let Some(build) = building.get(&key) {
            return (Arc::clone(build), false);
        }
        let progress = Mutex::new(Progress::Begun);
        let build = Arc::new(Build {
            selection: Arc::clone(selection),
            rows,
            progress,
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            previewed: AtomicBool::new(false),
        });
        building.insert(key, Arc::clone(&build));
        (build, true)
    }

    /// Reads the first rows, and leaves the others to the threads.
    fn begin(&self, shared: &Shared, build: &Arc<Build>, deadline: &Deadline) -> Result<(), QueryError> {
        let unless = FailedUnlessSet(build);
        let indexed = read(shared, build, shared.config.preview_rows, deadline)?;
        if indexed.finished {
            finish(shared, build, indexed);
        } else {
            build.set(Progress::Preview(indexed));
            self.jobs.build(Arc::clone(build));
        }
        drop(unless);
        Ok(())
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        drop(self.running.take());
        self.jobs.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Lets those who wait for a build begin anew if it ended without a result.
struct FailedUnlessSet<'a>(&'a Build);

impl Drop for FailedUnlessSet<'_> {
    fn drop(&mut self) {
        let mut progress = self.0.progress();
        if matches!(*progress, Progress::Begun) {
            *progress = Progress::Failed;
            self.0.changed.notify_all();
        }
    }
}

impl Build {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, progress: Progress) {
        *self.progress() = progress;
        self.changed.notify_all();
    }

    /// Waits for all rows, from `until` on for any. `None` when the build failed.
    fn wait(&self, until: Option<Instant>, deadline: &Deadline) -> Result<Option<Indexed>, QueryError> {
        let mut progress = self.progress();
        loop {
            match &*progress {
                Progress::Done(indexed) => return Ok(Some(indexed.clone())),
                Progress::Preview(indexed) if until.is_some_and(|until| until <= Instant::now()) => {
                    self.previewed.store(true, Ordering::Release);
                    return Ok(Some(indexed.clone()));
                }
                Progress::Failed => return Ok(None),
                Progress::Impossible(reason) => return Err(QueryError::Build(Arc::clone(reason))),
                Progress::Begun | Progress::Preview(_) => {}
            }
            deadline.check()?;
            let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
            let pause = left.clamp(Duration::from_millis(1), LOOK);
            progress = self.changed.wait_timeout(progress, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// What a thread does.
fn work(shared: &Shared, jobs: &Jobs, deadline: &Deadline) {
    lower_priority();
    while let Some(job) = jobs.next() {
        if deadline.check().is_err() {
            return;
        }
        match job {
            Job::Build(build) => match read(shared, &build, usize::MAX, deadline) {
                Ok(indexed) => {
                    finish(shared, &build, indexed.clone());
                    if indexed.base.rows() >= shared.config.disk_min_rows {
                        write_base(shared, &build, &indexed, deadline);
                    }
                }
                Err(error) => {
                    build.set(match error {
                        QueryError::Deadline => Progress::Failed,
                        error => Progress::Impossible(error.to_string().into()),
                    });
                }
            },
            Job::Write((key, kept)) => write_view(shared, &key, &kept, deadline),
        }
    }
}

/// Keeps a complete index, and gives it to those who wait.
fn finish(shared: &Shared, build: &Build, indexed: Indexed) {
    shared.keep_indexed(&build.selection, build.rows, &indexed);
    build.set(Progress::Done(indexed));
}

/// Reads the first `limit` rows of a selection and what is said of them.
fn read(shared: &Shared, build: &Build, limit: usize, deadline: &Deadline) -> Result<Indexed, QueryError> {
    let read_at = SystemTime::now();
    let snapshot = shared.store.snapshot();
    let (selection, suffixes) = (&*build.selection, &*shared.suffixes);
    let stamp = shared.stamp(selection, Needs { rows: build.rows, others: Others::Nothing }, &snapshot)?;
    let scan = Scan { snapshot: &snapshot, selection, suffixes, deadline };
    let known = Known { snapshot: &snapshot, suffixes, deadline };
    let reading = Base::read(&scan, build.rows, limit, &known)?;
    let facts = match &reading.past {
        Some(past) => Some(Arc::new(Facts::of(&reading.base, past, deadline)?)),
        None => None,
    };
    let base = Arc::new(reading.base);
    Ok(Indexed { base, facts, stamp, read_at, finished: reading.complete, current: true })
}

fn write_base(shared: &Shared, build: &Build, indexed: &Indexed, deadline: &Deadline) {
    let Indexed { base, facts, stamp, read_at, .. } = indexed;
    let key = Key::new(&build.selection, What::Base(build.rows));
    let label = Label {
        key: key.to_string(),
        stamp: *stamp,
        read_at: *read_at,
        rows: base.rows(),
        active: base.active,
        links: base.active as u64,
        facts: facts.as_ref().and_then(|facts| serde_json::to_value(&**facts).ok()),
    };
    write(shared, &key, &label, &base.table, base.active, deadline);
}

fn write_view(shared: &Shared, key: &Key, kept: &Kept, deadline: &Deadline) {
    let Part::View(view) = &kept.part else { return };
    let label = Label {
        key: key.to_string(),
        stamp: kept.stamp,
        read_at: kept.read_at,
        rows: view.rows(),
        active: view.rows(),
        links: view.links,
        facts: None,
    };
    let columns = view.columns().iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    write(shared, key, &label, &Table::new(view.rows(), columns), view.rows(), deadline);
}

/// Writes a table whose first `active` rows may stand by themselves.
fn write(shared: &Shared, key: &Key, label: &Label, whole: &Table, active: usize, deadline: &Deadline) {
    let first: Vec<u32> = (0..active.min(HEAD_ROWS) as u32).collect();
    // Once the builders are to end, nothing more is written.
    let Ok(head) = whole.pick_apart(&first, deadline) else { return };
    if let Err(error) = shared.disk.write(key, label, &head, whole) {
        shared.disk.tell_unwritten(&error);
    }
}
