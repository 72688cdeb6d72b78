//! The thread that stores: takes what is ready, or will be in a moment, up to a batch, and commits it as one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::messages::{End, Event, Outcome, Stored, Unstored, Work};
use super::progress::{CpuTimer, Progress};
use crate::config::StoreConfig;
use crate::frontier::{Fate, QueueName, QueuedUrl};
use crate::model::{FailureKind, Visit};
use crate::store::{Commit, Store, StoreError};

/// How long batches are of one piece of work each after one that met damage, so that nothing suffers for what it was
/// stored with.
const CAREFUL: Duration = Duration::from_secs(60);

/// Does what it is asked until the channel closes; a failure of the store is told to the loop, with what was not stored
/// for it. URLs met are held against all known ones when that is asked for, or when `most_met` wait.
pub(super) fn run(
    store: &Store,
    progress: &Arc<Progress>,
    config: &StoreConfig,
    most_met: usize,
    work: &Receiver<Work>,
    events: &Sender<Event>,
) {
    let mut careful_until: Option<Instant> = None;
    let singly = StoreConfig { batch_pages: 1, ..config.clone() };
    while let Ok(first) = work.recv() {
        let careful = careful_until.is_some_and(|until| Instant::now() < until);
        let batch = gather(first, work, if careful { &singly } else { config });
        let stored = store_batch(store, progress, most_met, batch);
        if stored.unstored.as_ref().is_some_and(|unstored| unstored.error.is_damage()) {
            careful_until = Some(Instant::now() + CAREFUL);
        }
        if events.send(Event::Stored(stored)).is_err() {
            return;
        }
    }
}

/// Bytes from on which nothing more is gathered: all URLs that a batch meets are one row, which stands in memory several
/// times while it is written.
const MOST_BYTES: usize = 64 << 20;

/// What is done together: all that is there, and, unless that is a batch, what comes within the wait.
fn gather(first: Work, work: &Receiver<Work>, config: &StoreConfig) -> Vec<Work> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    let mut has_room = |batch: &mut Vec<Work>| {
        while batch.len() < config.batch_pages && bytes < MOST_BYTES {
            let Ok(next) = work.try_recv() else { return true };
            bytes += next.bytes();
            batch.push(next);
        }
        false
    };
    if has_room(&mut batch) {
        // Asleep, for whoever waits at the channel is woken by each that comes.
        std::thread::sleep(config.batch_wait.0);
        has_room(&mut batch);
    }
    batch
}

fn store_batch(store: &Store, progress: &Progress, most_met: usize, batch: Vec<Work>) -> Stored {
    let _timer = CpuTimer::start(&progress.store_cpu);
    let (mut commit, mut visits, mut due) = (Commit::default(), Visits::default(), None);
    let (mut stored, mut ended) = (Stored::default(), Vec::with_capacity(batch.len()));
    // Given back when all is stored.
    let mut rooms = Vec::with_capacity(batch.len());
    for work in batch {
        match work {
            Work::Outcome(outcome, room) => {
                visits.add(&outcome);
                ended.push(add(*outcome, &mut commit));
                rooms.extend(room);
            }
            Work::Found(found) => commit.found.extend(found),
            Work::Asleep(queue, until) => commit.asleep.push((queue, until)),
            Work::Failed(queue, failure) => commit.failures.push((queue, failure)),
            Work::Due(now, most) => due = Some((now, most)),
            Work::Merge => stored.merged = true,
        }
    }
    let store_all = || -> Result<(), StoreError> {
        if let Some((now, most)) = due {
            // Asked for again if it fails.
            stored.due = Some(0);
            // Before the commit: a page fetched after the question was asked is no answer to it.
            let (due, count) = store.take_due(now, most)?;
            let (recalled, far) = store.recall_far(now, most)?;
            stored.arrivals.extend(due);
            stored.arrivals.extend(recalled);
            stored.due = Some(count.max(far));
        }
        stored.arrivals.extend(store.commit(commit)?);
        stored.ended = std::mem::take(&mut ended);
        visits.count(progress);
        if stored.merged || store.met_urls() >= most_met {
            let _timer = CpuTimer::start(&progress.merge_cpu);
            stored.arrivals.extend(store.merge_met()?);
            Progress::add(&progress.merges, 1);
        }
        Ok(())
    };
    if let Err(error) = store_all() {
        let queued = ended.into_iter().map(|(queued, _)| queued).collect();
        stored.unstored = Some(Unstored { queued, error });
    }
    stored
}

/// Adds an outcome to a commit; tells what becomes of its URL.
fn add(outcome: Outcome, commit: &mut Commit) -> (QueuedUrl, Fate) {
    let Outcome { queued, record, others, found, failure, end } = outcome;
    commit.failures.extend(failure.map(|failure| (QueueName::of(&queued.url), failure)));
    commit.found.extend(found);
    commit.records.extend(record.into_iter().chain(others));
    match end {
        End::Fetched => commit.done.push(queued.clone()),
        End::Again => commit.retried.push(queued.clone()),
        End::PutOff(next) => commit.put_off.push((queued.clone(), next)),
        End::Withdrawn => commit.withdrawn.push(queued.clone()),
    }
    (queued, end.fate())
}

/// The visits of a batch, which count once they are stored.
#[derive(Default)]
struct Visits {
    stored: u64,
    answered: u64,
    unchanged: u64,
    links: u64,
    failures: Vec<FailureKind>,
}

impl Visits {
    fn add(&mut self, outcome: &Outcome) {
        match outcome.record.as_ref().map(|record| &record.visit) {
            None => return,
            Some(Visit::Failed(kind, _)) => self.failures.push(*kind),
            Some(Visit::NotModified) => {
                (self.answered, self.unchanged) = (self.answered + 1, self.unchanged + 1)
            }
            Some(Visit::Answered(content)) if content.challenge => self.failures.push(FailureKind::Challenge),
            Some(Visit::Answered(content)) => {
                self.answered += 1;
                self.links += content.links.len() as u64;
            }
        }
        self.stored += 1;
    }

    fn count(&self, progress: &Progress) {
        Progress::add(&progress.stored, self.stored);
        Progress::add(&progress.answered, self.answered);
        Progress::add(&progress.unchanged, self.unchanged);
        Progress::add(&progress.links, self.links);
        self.failures.iter().for_each(|kind| progress.add_failure(*kind));
    }
}
