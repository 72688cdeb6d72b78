//! The writer thread: gathers requests into batches, and commits each batch at once.

pub(super) mod link;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use super::messages::{CommitReport, Completion, FailedCommit, LoopEvent, WriteRequest};
use super::progress::{CpuTimer, Progress, STATUS_CLASSES, class_of};
use super::timing::SINGLE_COMMIT_PERIOD;
use crate::config::StoreConfig;
use crate::fetch::Reservation;
use crate::model::{Disposition, FailureKind, QueueEntry, QueueName, Visit};
use crate::store::{Commit, Store, StoreError};

/// Writes to the store while a crawl runs.
pub(super) struct StoreWriter {
    store: Arc<Store>,
    progress: Arc<Progress>,
    config: StoreConfig,
    /// Discovered URLs that wait at most before they are merged into the seen set.
    max_unmerged: usize,
}

impl StoreWriter {
    pub(super) fn new(
        store: &Arc<Store>,
        progress: &Arc<Progress>,
        config: &StoreConfig,
        max_unmerged: usize,
    ) -> Self {
        let (store, progress) = (Arc::clone(store), Arc::clone(progress));
        Self { store, progress, config: config.clone(), max_unmerged }
    }

    /// Processes requests until the channel closes. A store error is reported to the loop, with the URLs that
    /// were not stored. Discovered URLs are merged on request, and when `max_unmerged` of them wait.
    pub(super) fn run(&self, work: &Receiver<WriteRequest>, events: &Sender<LoopEvent>) {
        let mut single_until: Option<Instant> = None;
        let single = StoreConfig { batch_pages: 1, ..self.config.clone() };
        while let Ok(first) = work.recv() {
            let is_single = single_until.is_some_and(|until| Instant::now() < until);
            let batch = gather(first, work, if is_single { &single } else { &self.config });
            let report = self.commit_batch(batch);
            if report.failed.as_ref().is_some_and(|failed| failed.error.is_damage()) {
                single_until = Some(Instant::now() + SINGLE_COMMIT_PERIOD);
            }
            if events.send(LoopEvent::Committed(report)).is_err() {
                return;
            }
        }
    }

    fn commit_batch(&self, batch: Vec<WriteRequest>) -> CommitReport {
        let _timer = CpuTimer::start(&self.progress.store_cpu);
        let mut prepared = PreparedBatch::new(batch);
        let mut report = CommitReport { merged: prepared.merges, ..CommitReport::default() };
        if let Err(error) = self.write(&mut prepared, &mut report) {
            // Empty when the commit succeeded and the merge failed.
            let entries = std::mem::take(&mut prepared.completed).into_iter().map(|(entry, _)| entry);
            report.failed = Some(FailedCommit { entries: entries.collect(), error });
        }
        report
    }

    fn write(&self, batch: &mut PreparedBatch, report: &mut CommitReport) -> Result<(), StoreError> {
        let store = &self.store;
        if let Some((now, most)) = batch.due {
            // The loop asks again if it fails.
            report.due = Some(0);
            // Runs before the commit, because the pages of this batch may have been fetched after the loop
            // asked.
            let (due, count) = store.take_due(now, most)?;
            let (rescheduled, far) = store.reschedule_far(now, most)?;
            report.arrivals.extend(due);
            report.arrivals.extend(rescheduled);
            report.due = Some(count.max(far));
        }
        report.arrivals.extend(store.commit(std::mem::take(&mut batch.commit))?);
        report.completed = std::mem::take(&mut batch.completed);
        batch.visits.count(&self.progress);
        if batch.merges || store.unmerged_urls() >= self.max_unmerged {
            let _timer = CpuTimer::start(&self.progress.merge_cpu);
            report.arrivals.extend(store.merge_discovered()?);
            Progress::add(&self.progress.merges, 1);
        }
        Ok(())
    }
}

/// A batch at this size is full. All URLs that a batch discovers are one row, of which several copies are in
/// memory during the commit.
const MAX_COMMIT_BYTES: usize = 64 << 20;

/// Gathers a batch: all waiting requests and, unless they fill it, those that come within `store.batch_wait`.
fn gather(first: WriteRequest, work: &Receiver<WriteRequest>, config: &StoreConfig) -> Vec<WriteRequest> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    let mut has_room = |batch: &mut Vec<WriteRequest>| {
        while batch.len() < config.batch_pages && bytes < MAX_COMMIT_BYTES {
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

/// The requests of a batch, by what they change.
#[derive(Default)]
struct PreparedBatch {
    commit: Commit,
    visits: Visits,
    completed: Vec<(QueueEntry, Disposition)>,
    /// The Unix time at which pages are due, and how many of them are queued at most.
    due: Option<(u64, usize)>,
    /// Whether the discovered URLs are merged into the seen set.
    merges: bool,
    /// Memory that is returned after the commit.
    reservations: Vec<Reservation>,
}

impl PreparedBatch {
    fn new(requests: Vec<WriteRequest>) -> Self {
        let mut batch = Self::default();
        for request in requests {
            match request {
                WriteRequest::Completed(completion, reservation) => {
                    batch.visits.add(&completion);
                    batch.add_completion(*completion);
                    batch.reservations.extend(reservation);
                }
                WriteRequest::AddDiscovered(found) => batch.commit.discovered.extend(found),
                WriteRequest::BackOffHost(queue, until) => batch.commit.backoffs.push((queue, until)),
                WriteRequest::RecordFailure(queue, failure) => batch.commit.failures.push((queue, failure)),
                WriteRequest::QueueDue(now, most) => batch.due = Some((now, most)),
                WriteRequest::MergeDiscovered => batch.merges = true,
            }
        }
        batch
    }

    fn add_completion(&mut self, completion: Completion) {
        let Completion { entry, record, chain_records, discovered, failure, disposition } = completion;
        let commit = &mut self.commit;
        commit.failures.extend(failure.map(|failure| (QueueName::of(&entry.url), failure)));
        commit.discovered.extend(discovered);
        commit.records.extend(record.into_iter().chain(chain_records));
        commit.dispositions.push((entry.clone(), disposition));
        self.completed.push((entry, disposition));
    }
}

/// The visits of a batch. They count after the commit.
#[derive(Default)]
struct Visits {
    stored: u64,
    answered: u64,
    unchanged: u64,
    /// In the order of [`STATUS_CLASSES`].
    responses: [u64; STATUS_CLASSES.len()],
    links: u64,
    failures: Vec<FailureKind>,
}

impl Visits {
    fn add(&mut self, completion: &Completion) {
        match completion.record.as_ref().map(|record| &record.visit) {
            None => return,
            Some(Visit::Failed(kind, _)) => self.failures.push(*kind),
            Some(Visit::NotModified) => {
                (self.answered, self.unchanged) = (self.answered + 1, self.unchanged + 1);
            }
            Some(Visit::Responded(content)) if content.challenge => {
                self.failures.push(FailureKind::Challenge);
            }
            Some(Visit::Responded(content)) => {
                self.answered += 1;
                self.responses[class_of(content.facts.status)] += 1;
                self.links += content.links.len() as u64;
            }
        }
        self.stored += 1;
    }

    fn count(&self, progress: &Progress) {
        Progress::add(&progress.visits, self.stored);
        Progress::add(&progress.answered, self.answered);
        Progress::add(&progress.unchanged, self.unchanged);
        for (counter, count) in progress.responses.iter().zip(self.responses) {
            Progress::add(counter, count);
        }
        Progress::add(&progress.links, self.links);
        self.failures.iter().for_each(|kind| progress.add_failure(*kind));
    }
}
