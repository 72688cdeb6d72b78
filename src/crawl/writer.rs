//! The thread that stores: takes what is ready, up to a batch, and commits it as one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use super::messages::{Event, Outcome, Stored};
use super::progress::{CpuTimer, Progress};
use crate::frontier::Fate;
use crate::model::Visit;
use crate::store::{Commit, Store, StoreError};

/// Commits outcomes until the channel closes; a failure of the store is told to the loop and ends it.
pub(super) fn run(
    store: &Store,
    progress: &Arc<Progress>,
    batch_pages: usize,
    outcomes: &Receiver<Outcome>,
    events: &Sender<Event>,
) {
    while let Ok(first) = outcomes.recv() {
        let mut batch = vec![first];
        batch.extend(outcomes.try_iter().take(batch_pages.saturating_sub(1)));
        let event = match store_batch(store, progress, batch) {
            Ok(stored) => Event::Stored(stored),
            Err(error) => Event::Broken(error),
        };
        let broken = matches!(event, Event::Broken(_));
        if events.send(event).is_err() || broken {
            return;
        }
    }
}

fn store_batch(store: &Store, progress: &Progress, batch: Vec<Outcome>) -> Result<Stored, StoreError> {
    let _timer = CpuTimer::start(&progress.store_cpu);
    let mut commit = Commit::default();
    let mut ended = Vec::with_capacity(batch.len());
    for outcome in batch {
        count(progress, &outcome);
        commit.found.extend(outcome.found);
        commit.records.extend(outcome.record);
        let list = match outcome.fate {
            Fate::Fetched => &mut commit.done,
            Fate::Dropped => &mut commit.dropped,
            Fate::Again => &mut commit.retried,
        };
        list.push(outcome.queued.clone());
        ended.push((outcome.queued, outcome.fate));
    }
    let queued = store.commit(commit)?;
    Ok(Stored { ended, queued })
}

fn count(progress: &Progress, outcome: &Outcome) {
    match outcome.record.as_ref().map(|record| &record.visit) {
        None => return Progress::add(&progress.disallowed, 1),
        Some(Visit::Failed(kind)) => progress.add_failure(*kind),
        Some(Visit::NotModified) => Progress::add(&progress.answered, 1),
        Some(Visit::Answered(content)) => {
            Progress::add(&progress.answered, 1);
            Progress::add(&progress.links, content.links.len() as u64);
        }
    }
    Progress::add(&progress.stored, 1);
}
