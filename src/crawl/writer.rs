//! The thread that stores: takes what is ready, or will be in a moment, up to a batch, and commits it as one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use super::messages::{End, Event, Outcome, Stored, Work};
use super::progress::{CpuTimer, Progress};
use crate::config::StoreConfig;
use crate::frontier::QueueName;
use crate::model::{FailureKind, Visit};
use crate::store::{Commit, Store, StoreError};

/// Does what it is asked until the channel closes; a failure of the store is told to the loop and ends it. URLs met
/// are held against all known ones when that is asked for, or when `most_met` wait.
pub(super) fn run(
    store: &Store,
    progress: &Arc<Progress>,
    config: &StoreConfig,
    most_met: usize,
    work: &Receiver<Work>,
    events: &Sender<Event>,
) {
    while let Ok(first) = work.recv() {
        let event = match store_batch(store, progress, most_met, gather(first, work, config)) {
            Ok(stored) => Event::Stored(stored),
            Err(error) => Event::Broken(error.into()),
        };
        let broken = matches!(event, Event::Broken(_));
        if events.send(event).is_err() || broken {
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

fn store_batch(
    store: &Store,
    progress: &Progress,
    most_met: usize,
    batch: Vec<Work>,
) -> Result<Stored, StoreError> {
    let _timer = CpuTimer::start(&progress.store_cpu);
    let mut commit = Commit::default();
    let mut stored =
        Stored { ended: Vec::with_capacity(batch.len()), arrivals: Vec::new(), merged: false, due: None };
    // Given back when all is stored.
    let mut rooms = Vec::with_capacity(batch.len());
    for work in batch {
        match work {
            Work::Outcome(outcome, room) => {
                add(progress, *outcome, &mut commit, &mut stored);
                rooms.extend(room);
            }
            Work::Found(found) => commit.found.extend(found),
            Work::Asleep(queue, until) => commit.asleep.push((queue, until)),
            Work::Failed(queue, failure) => commit.failures.push((queue, failure)),
            Work::Due(now, most) => {
                // Before the commit: a page fetched after the question was asked is no answer to it.
                let (due, count) = store.take_due(now, most)?;
                let (recalled, far) = store.recall_far(now, most)?;
                stored.arrivals.extend(due);
                stored.arrivals.extend(recalled);
                stored.due = Some(count.max(far));
            }
            Work::Merge => stored.merged = true,
        }
    }
    stored.arrivals.extend(store.commit(commit)?);
    if stored.merged || store.met_urls() >= most_met {
        let _timer = CpuTimer::start(&progress.merge_cpu);
        stored.arrivals.extend(store.merge_met()?);
        Progress::add(&progress.merges, 1);
    }
    Ok(stored)
}

fn add(progress: &Progress, outcome: Outcome, commit: &mut Commit, stored: &mut Stored) {
    count(progress, &outcome);
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
    stored.ended.push((queued, end.fate()));
}

fn count(progress: &Progress, outcome: &Outcome) {
    match outcome.record.as_ref().map(|record| &record.visit) {
        None => return,
        Some(Visit::Failed(kind, _)) => progress.add_failure(*kind),
        Some(Visit::NotModified) => {
            Progress::add(&progress.answered, 1);
            Progress::add(&progress.unchanged, 1);
        }
        Some(Visit::Answered(content)) if content.challenge => progress.add_failure(FailureKind::Challenge),
        Some(Visit::Answered(content)) => {
            Progress::add(&progress.answered, 1);
            Progress::add(&progress.links, content.links.len() as u64);
        }
    }
    Progress::add(&progress.stored, 1);
}
