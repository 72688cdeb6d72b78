//! The writer thread: gathers requests into batches, and commits each batch at once.

pub(super) mod link;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use super::messages::{CommitReport, Completion, Disposition, FailedCommit, LoopEvent, WriteRequest};
use super::progress::{CpuTimer, Progress};
use super::timing::SINGLE_COMMIT_PERIOD;
use crate::config::StoreConfig;
use crate::model::{FailureKind, Fate, QueueName, QueuedUrl, Visit};
use crate::store::{Commit, Store, StoreError};

/// Processes requests until the channel closes. A store error is reported to the loop, with the URLs that
/// were not stored. Discovered URLs are merged on request, and when `max_pending` of them wait.
pub(super) fn run(
    store: &Store,
    progress: &Arc<Progress>,
    config: &StoreConfig,
    max_pending: usize,
    work: &Receiver<WriteRequest>,
    events: &Sender<LoopEvent>,
) {
    let mut single_until: Option<Instant> = None;
    let single = StoreConfig { batch_pages: 1, ..config.clone() };
    while let Ok(first) = work.recv() {
        let is_single = single_until.is_some_and(|until| Instant::now() < until);
        let batch = gather(first, work, if is_single { &single } else { config });
        let report = commit_batch(store, progress, max_pending, batch);
        if report.failed.as_ref().is_some_and(|failed| failed.error.is_damage()) {
            single_until = Some(Instant::now() + SINGLE_COMMIT_PERIOD);
        }
        if events.send(LoopEvent::Committed(report)).is_err() {
            return;
        }
    }
}

/// A batch at this size is full. All URLs that a batch discovers are one row, of which several copies are in
/// memory during the commit.
const MAX_BATCH_BYTES: usize = 64 << 20;

/// Gathers a batch: all waiting requests and, unless they fill it, those that come within `store.batch_wait`.
fn gather(first: WriteRequest, work: &Receiver<WriteRequest>, config: &StoreConfig) -> Vec<WriteRequest> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    let mut has_room = |batch: &mut Vec<WriteRequest>| {
        while batch.len() < config.batch_pages && bytes < MAX_BATCH_BYTES {
            let Ok(next) = work.try_recv() else { return true };
            bytes += next.bytes();
            batch.push(next);
        }
        false
    };
    if has_room(&mut batch) {
        // It sleeps, because a receiver that waits at the channel would wake up for each request.
        std::thread::sleep(config.batch_wait.0);
        has_room(&mut batch);
    }
    batch
}

fn commit_batch(
    store: &Store,
    progress: &Progress,
    max_pending: usize,
    batch: Vec<WriteRequest>,
) -> CommitReport {
    let _timer = CpuTimer::start(&progress.store_cpu);
    let (mut commit, mut visits, mut due) = (Commit::default(), Visits::default(), None);
    let (mut report, mut completed) = (CommitReport::default(), Vec::with_capacity(batch.len()));
    // Returned after the commit.
    let mut rooms = Vec::with_capacity(batch.len());
    for work in batch {
        match work {
            WriteRequest::Completed(completion, room) => {
                visits.add(&completion);
                completed.push(add(*completion, &mut commit));
                rooms.extend(room);
            }
            WriteRequest::AddDiscovered(found) => commit.found.extend(found),
            WriteRequest::BackOffHost(queue, until) => commit.asleep.push((queue, until)),
            WriteRequest::RecordFailure(queue, failure) => commit.failures.push((queue, failure)),
            WriteRequest::QueueDue(now, most) => due = Some((now, most)),
            WriteRequest::MergeDiscovered => report.merged = true,
        }
    }
    let commit_all = || -> Result<(), StoreError> {
        if let Some((now, most)) = due {
            // The loop asks again if it fails.
            report.due = Some(0);
            // Runs before the commit, because the pages of this batch may have been fetched after the loop
            // asked.
            let (due, count) = store.take_due(now, most)?;
            let (recalled, far) = store.reschedule_far(now, most)?;
            report.arrivals.extend(due);
            report.arrivals.extend(recalled);
            report.due = Some(count.max(far));
        }
        report.arrivals.extend(store.commit(commit)?);
        report.completed = std::mem::take(&mut completed);
        visits.count(progress);
        if report.merged || store.pending_urls() >= max_pending {
            let _timer = CpuTimer::start(&progress.merge_cpu);
            report.arrivals.extend(store.merge_pending()?);
            Progress::add(&progress.merges, 1);
        }
        Ok(())
    };
    if let Err(error) = commit_all() {
        let queued = completed.into_iter().map(|(queued, _)| queued).collect();
        report.failed = Some(FailedCommit { queued, error });
    }
    report
}

/// Adds a completion to a commit, and returns the fate of its URL.
fn add(completion: Completion, commit: &mut Commit) -> (QueuedUrl, Fate) {
    let Completion { queued, record, chain_records, discovered, failure, disposition } = completion;
    commit.failures.extend(failure.map(|failure| (QueueName::of(&queued.url), failure)));
    commit.found.extend(discovered);
    commit.records.extend(record.into_iter().chain(chain_records));
    match disposition {
        Disposition::Fetched => commit.done.push(queued.clone()),
        Disposition::Retry => commit.retried.push(queued.clone()),
        Disposition::Postponed(next) => commit.put_off.push((queued.clone(), next)),
        Disposition::Withdrawn => commit.withdrawn.push(queued.clone()),
    }
    (queued, disposition.fate())
}

/// The visits of a batch. They count after the commit.
#[derive(Default)]
struct Visits {
    stored: u64,
    answered: u64,
    unchanged: u64,
    links: u64,
    failures: Vec<FailureKind>,
}

impl Visits {
    fn add(&mut self, completion: &Completion) {
        match completion.record.as_ref().map(|record| &record.visit) {
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
