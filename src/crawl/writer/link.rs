//! The loop's link to the writer thread: its requests, and what the writer owes.

use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::crawl::CrawlError;
use crate::crawl::messages::WriteRequest;
use crate::crawl::timing::{DUE_INTERVAL, MERGE_PAUSE_FACTOR};

/// Due pages queued by one request to the writer.
const DUE_BATCH: usize = 1_000;

/// Sends requests to the writer. The writer ends when the last sender is dropped.
#[derive(Clone)]
pub(in crate::crawl) struct WriterSender(Sender<WriteRequest>);

impl WriterSender {
    pub(crate) fn new(requests: Sender<WriteRequest>) -> Self {
        Self(requests)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// [`CrawlError::Broken`] when the writer has ended.
    pub(crate) fn send(&self, request: WriteRequest) -> Result<(), CrawlError> {
        self.0.send(request).map_err(|_| CrawlError::Broken)
    }
}

/// Keeps account of the requests to the writer, and of its answers.
pub(in crate::crawl) struct WriterLedger {
    sender: WriterSender,
    /// URLs dispatched that are not stored yet.
    outstanding: usize,
    /// When the writer was asked for the merge that it has yet to finish.
    merge_requested_at: Option<Instant>,
    /// When the next merge of an idle crawl may start.
    next_merge: Instant,
    /// Whether the writer owes an answer to a request for due pages.
    awaits_due: bool,
    /// When a crawl that runs forever asks for due pages again.
    next_due: Instant,
}

impl WriterLedger {
    pub(crate) fn new(sender: WriterSender, now: Instant) -> Self {
        Self {
            sender,
            outstanding: 0,
            merge_requested_at: None,
            next_merge: now,
            awaits_due: false,
            next_due: now,
        }
    }

    /// Sends a request, as [`WriterSender::send`] does.
    pub(crate) fn send(&self, request: WriteRequest) -> Result<(), CrawlError> {
        self.sender.send(request)
    }

    /// URLs dispatched that are not stored yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Counts a URL that is dispatched.
    pub(crate) fn add_outstanding(&mut self) {
        self.outstanding += 1;
    }

    /// Uncounts a dispatched URL that is stored, or that is not to be stored.
    pub(crate) fn remove_outstanding(&mut self) {
        self.outstanding -= 1;
    }

    /// Whether the writer still owes a commit, a merge, or the pages that are due.
    pub(crate) fn is_pending(&self) -> bool {
        self.outstanding > 0 || self.merge_requested_at.is_some() || self.awaits_due
    }

    /// Whether an idle crawl may merge again.
    pub(crate) fn is_merge_due(&self, now: Instant) -> bool {
        now >= self.next_merge
    }

    /// Asks the writer to merge the discovered URLs into the seen set, unless it is about to.
    pub(crate) fn request_merge(&mut self) -> Result<(), CrawlError> {
        if self.merge_requested_at.is_none() {
            self.merge_requested_at = Some(Instant::now());
            self.send(WriteRequest::MergeDiscovered)?;
        }
        Ok(())
    }

    /// The writer has merged.
    pub(crate) fn on_merged(&mut self) {
        if let Some(since) = self.merge_requested_at.take() {
            self.next_merge = Instant::now() + MERGE_PAUSE_FACTOR * since.elapsed();
        }
    }

    /// Whether a crawl that runs forever looks for due pages again.
    pub(crate) fn is_time_for_due(&self, now: Instant) -> bool {
        now >= self.next_due
    }

    /// Asks the writer to queue pages that are due at this Unix time, unless it is about to.
    pub(crate) fn request_due(&mut self, unix_time: u64) -> Result<(), CrawlError> {
        self.next_due = Instant::now() + DUE_INTERVAL;
        if !self.awaits_due {
            self.awaits_due = true;
            self.send(WriteRequest::QueueDue(unix_time, DUE_BATCH))?;
        }
        Ok(())
    }

    /// The writer has queued `count` due pages. Returns whether there may be more.
    pub(crate) fn on_due(&mut self, count: usize) -> bool {
        self.awaits_due = false;
        count >= DUE_BATCH
    }
}
