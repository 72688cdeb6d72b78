//! The event loop: asks the frontier for work, starts it, and handles its results.
//!
//! The loop runs on the thread of the caller and may read the store. Its fetches run on the async runtime.
//! While it runs, only the writer writes to the store.
//!
//! The loop wires its parts, which do not know each other: [`QueueScan`] admits queues from disk,
//! [`PageCheck`] decides about a picked URL, [`Dispatcher`] starts requests, [`HostEventHandler`] takes their
//! ends, [`WriterLink`] knows what the writer owes, and [`StoreBackoff`] pauses the loop.

mod dispatch;
mod events;
mod page_check;
mod queue_scan;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::adapters::backlog::StoreBacklog;
use super::archive::Archive;
use super::backoff::store::StoreBackoff;
use super::messages::{
    CommitReport, Completion, FailedCommit, LoopEvent, RobotsRequest, RobotsWaiter, WriteRequest,
};
use super::progress::Progress;
use super::state::CrawlState;
use super::timing::is_past;
use super::timing::{DISPATCH_SLICE, HEARTBEAT, RESOURCE_PAUSE};
use super::writer::link::{WriterLink, WriterSender};
use super::{CrawlError, CrawlJob, Crawler, Reload};
use crate::clock::unix_now;
use crate::frontier::{Backoff, Frontier, Next};
use crate::model::{Arrival, Disposition, Found, QueueName, QueuedUrl};
use crate::store::{Commit, Store, StoreError};
use crate::urls::CanonicalUrl;

pub(super) use dispatch::{Dispatcher, FetchBudget};
pub(super) use events::HostEventHandler;
pub(super) use page_check::PageCheck;
pub(super) use queue_scan::QueueScan;

use dispatch::PageRequest;
use page_check::PageDecision;

/// See the module.
pub(super) struct CrawlLoop<'a> {
    crawler: &'a Crawler,
    job: &'a CrawlJob,
    store: Arc<Store>,
    progress: Arc<Progress>,
    frontier: Frontier<RobotsRequest>,
    backlog: StoreBacklog,
    scan: QueueScan,
    pages: PageCheck,
    hosts: HostEventHandler,
    dispatcher: Dispatcher<'a>,
    writer: WriterLink,
    store_backoff: StoreBackoff,
    /// When the loop gives up what is in flight; `None` while the crawl is not to stop early.
    give_up_at: Option<Instant>,
    /// When the crawl started, in Unix time.
    started_at: u64,
    /// Seeds and visits beyond the schedule that are not stored yet.
    unqueued: Vec<Found>,
}

impl<'a> CrawlLoop<'a> {
    pub(super) fn new(
        crawler: &'a Crawler,
        job: &'a CrawlJob,
        runtime: &'a tokio::runtime::Handle,
        events: Sender<LoopEvent>,
        writer: &WriterSender,
        archive: Option<Arc<Archive>>,
    ) -> Result<Self, StoreError> {
        let now = Instant::now();
        let seeds = [&job.seeds[..], &job.former_seeds].concat();
        let processor = crawler.processor(&seeds, archive, events, writer.clone())?;
        let budget = FetchBudget::new(job.max_pages, job.max_time.map(|time| now + time));
        Ok(Self {
            crawler,
            job,
            store: Arc::clone(crawler.store()),
            progress: Arc::clone(crawler.progress()),
            frontier: Frontier::new(crawler.frontier_rules()),
            backlog: crawler.backlog(job.forever),
            scan: crawler.queue_scan(),
            pages: crawler.page_check(),
            hosts: crawler.host_event_handler(writer.clone(), job.forever),
            dispatcher: crawler.dispatcher(runtime, processor, budget),
            writer: WriterLink::new(writer.clone(), now),
            store_backoff: crawler.store_backoff(job.forever, now),
            give_up_at: None,
            started_at: unix_now(),
            unqueued: Vec::new(),
        })
    }

    /// Queues the seeds. Scans find the URLs of earlier crawls, and the writer queues due pages.
    pub(super) fn start(&mut self) -> Result<(), CrawlError> {
        self.unqueued.extend(self.job.seeds.iter().cloned().map(Found::seed));
        let queued = self.queue_seeds();
        self.store_backoff.tolerate(queued, ())?;
        self.request_due()
    }

    fn queue_seeds(&mut self) -> Result<(), CrawlError> {
        Progress::set(&self.progress.unqueued, self.unqueued.len());
        let found = self.unqueued.clone();
        let arrivals = self.store.commit(Commit { found, ..Commit::default() })?;
        self.unqueued.clear();
        Progress::set(&self.progress.unqueued, 0);
        self.add_arrivals(arrivals)
    }

    fn add_arrivals(&mut self, arrivals: Vec<Arrival>) -> Result<(), CrawlError> {
        Ok(self.scan.add_arrivals(arrivals, &mut self.frontier, &self.backlog)?)
    }

    /// When the loop gave up, or will give up, what is in flight; `None` when the crawl was not stopped.
    pub(super) fn give_up_at(&self) -> Option<Instant> {
        self.give_up_at
    }

    pub(super) fn run(
        &mut self,
        inbox: &Receiver<LoopEvent>,
        stop: &AtomicBool,
        writer_thread: &JoinHandle<()>,
    ) -> Result<(), CrawlError> {
        loop {
            if self.give_up_at.is_none() && (stop.load(Ordering::Relaxed) || self.store_backoff.ends_crawl())
            {
                self.give_up_at = Some(Instant::now() + self.crawler.drain_time());
            }
            self.dispatcher.reap_tasks()?;
            let done = self.run_periodic_work();
            self.store_backoff.tolerate(done, ())?;
            let wait = self.dispatch_or_wait()?;
            self.update_gauges();
            let Some(wait) = wait else { return Ok(()) };
            if is_past(self.give_up_at) {
                tracing::warn!(
                    pages = self.writer.outstanding(),
                    "fetches in flight were given up after crawl.drain; they stay in the queue"
                );
                return Ok(());
            }
            let wait = if self.scan.has_arrivals() { Duration::ZERO } else { wait };
            self.handle_events(inbox, wait, writer_thread)?;
        }
    }

    /// Does the work that is due from time to time.
    fn run_periodic_work(&mut self) -> Result<(), CrawlError> {
        let now = Instant::now();
        if self.job.forever && self.writer.is_time_for_due(now) {
            self.request_due()?;
        }
        if let Some(reload) = self.crawler.take_reload() {
            self.apply(reload);
        }
        self.unqueued.extend(self.crawler.take_visits());
        if !self.unqueued.is_empty() && !self.store_backoff.is_unwritable() {
            self.queue_seeds()?;
        }
        if self.store_backoff.start_check(now) {
            self.frontier.prune(now, &self.backlog);
            self.hosts.prune(&self.frontier);
            for fetched in self.store_backoff.check_disks()? {
                self.dispatcher.process_again(fetched);
            }
        }
        self.scan.admit_arrivals(&mut self.frontier, &self.backlog)?;
        Ok(self.scan.resume(now, &mut self.frontier, &self.backlog)?)
    }

    fn apply(&mut self, Reload { seeds, blocks }: Reload) {
        let extractor = self.dispatcher.extractor().successor(&seeds, blocks.clone());
        self.dispatcher.set_extractor(extractor);
        self.hosts.set_blocks(blocks.clone());
        self.pages.set_blocks(blocks);
        self.unqueued.extend(seeds.into_iter().map(Found::seed));
    }

    fn request_due(&mut self) -> Result<(), CrawlError> {
        // A batch visits what was due when it started. Pages that fall due meanwhile are left to the next crawl.
        self.writer.request_due(if self.job.forever { unix_now() } else { self.started_at })
    }

    /// Starts work if it may start now. Returns how long to wait; `None` ends the crawl.
    fn dispatch_or_wait(&mut self) -> Result<Option<Duration>, CrawlError> {
        let may_dispatch = self.give_up_at.is_none() && !self.dispatcher.is_at_limit() && !self.is_paused();
        if !may_dispatch {
            return Ok(self.wait_or_finish());
        }
        let wait = self.dispatch_ready();
        self.store_backoff.tolerate(wait, Some(HEARTBEAT))
    }

    /// Whether no work may start for now.
    fn is_paused(&self) -> bool {
        self.progress.is_halted() || self.store_backoff.is_paused() || self.hosts.is_short_of_resources()
    }

    /// How long to wait when no work may start; `None` when nothing is in flight and all results are stored.
    fn wait_or_finish(&self) -> Option<Duration> {
        let is_paused = self.is_paused() && self.give_up_at.is_none() && !self.dispatcher.is_at_limit();
        (is_paused || self.writer.outstanding() > 0 || self.frontier.has_in_flight()).then_some(HEARTBEAT)
    }

    /// Starts work until there is none, the limits are reached, or the time slice ends. Returns how long to
    /// wait; `None` ends the crawl.
    fn dispatch_ready(&mut self) -> Result<Option<Duration>, CrawlError> {
        let max_unstored = self.crawler.max_unstored();
        let mut now = Instant::now();
        let until = now + DISPATCH_SLICE;
        // Slow fetches have no record that waits to be stored.
        while self.frontier.has_fetch_slot(now)
            && self.writer.outstanding() < max_unstored + self.frontier.slow_in_flight()
            && !self.dispatcher.is_at_limit()
            && !self.progress.is_halted()
        {
            now = Instant::now();
            if now > until {
                return Ok(Some(Duration::ZERO));
            }
            match self.frontier.next(now, &self.backlog)? {
                Next::Resolve(queue, url) => self.dispatcher.start_resolution(queue, url),
                Next::RobotsTxt(queue, request) => self.start_robots_fetch(queue, request)?,
                Next::Page(queue, queued) => self.start_page(queue, queued, now)?,
                Next::Wait(until) => {
                    self.request_merge_if(self.writer.is_merge_due(now))?;
                    return Ok(Some(until.saturating_duration_since(now).min(HEARTBEAT)));
                }
                Next::Busy => {
                    self.request_merge_if(self.writer.is_merge_due(now))?;
                    return Ok(Some(HEARTBEAT));
                }
                Next::Drained => return self.handle_drained(),
            }
        }
        Ok(Some(HEARTBEAT))
    }

    /// Handles a frontier without work, now or later.
    fn handle_drained(&mut self) -> Result<Option<Duration>, CrawlError> {
        self.request_merge_if(true)?;
        if self.scan.has_arrivals() {
            return Ok(Some(Duration::ZERO));
        }
        if self.writer.is_pending() || self.job.forever {
            return Ok(Some(HEARTBEAT));
        }
        if self.is_finished() {
            return Ok(None);
        }
        Ok(Some(self.scan.resume_last(&mut self.frontier, &self.backlog)))
    }

    /// Whether a batch with a drained frontier ends: no arrival waits for admission, the writer owes nothing,
    /// and the last scan of the queues on disk has admitted no queue.
    ///
    /// The frontier is drained when no queue in memory has work, now or later. A crawl that runs forever
    /// never ends so.
    fn is_finished(&self) -> bool {
        !self.job.forever && !self.scan.has_arrivals() && !self.writer.is_pending() && self.scan.is_finished()
    }

    /// Asks the writer to merge the discovered URLs into the known ones, if it is `wanted` and useful.
    fn request_merge_if(&mut self, wanted: bool) -> Result<(), CrawlError> {
        if wanted && self.store.pending_urls() > 0 {
            self.writer.request_merge()?;
        }
        Ok(())
    }

    fn address(&self, queue: &QueueName) -> Result<IpAddr, CrawlError> {
        self.frontier.address(queue).ok_or(CrawlError::Broken)
    }

    fn start_robots_fetch(&mut self, queue: QueueName, request: RobotsRequest) -> Result<(), CrawlError> {
        let ip = self.address(&queue)?;
        self.dispatcher.start_robots_fetch(queue, ip, request);
        Ok(())
    }

    /// Starts the fetch of a queued URL, or what comes instead of it.
    fn start_page(
        &mut self,
        queue: QueueName,
        mut queued: QueuedUrl,
        now: Instant,
    ) -> Result<(), CrawlError> {
        match self.pages.decide(&mut queued) {
            Ok(PageDecision::Fetch { permit, validators, chain }) => {
                let ip = self.address(&queue)?;
                self.writer.add_outstanding();
                let request = PageRequest { queue, queued, ip, permit, validators, chain };
                self.dispatcher.start_page_fetch(request);
                Ok(())
            }
            Ok(PageDecision::Complete(disposition)) => {
                self.complete_unfetched(&queue, queued, now, disposition)
            }
            Ok(PageDecision::Park(length)) => {
                self.hosts.park_without_robots(&mut self.frontier, &queue, queued, now, length)
            }
            Ok(PageDecision::AwaitRobots(job)) => {
                let waiter = RobotsWaiter { queue: queue.clone(), url: queued.url.clone() };
                self.frontier.requeue(&queue, queued);
                self.start_robots_fetch(queue, RobotsRequest { job, waiter })
            }
            Err(error) => self.skip_unreadable(&queue, queued, now, error),
        }
    }

    /// Completes a URL without a request.
    fn complete_unfetched(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        now: Instant,
        disposition: Disposition,
    ) -> Result<(), CrawlError> {
        self.writer.add_outstanding();
        self.frontier.finish_fetch(queue, now, None, Backoff::None);
        let completion = Completion {
            queued,
            record: None,
            chain_records: Vec::new(),
            discovered: Vec::new(),
            failure: None,
            disposition,
        };
        self.writer.send(WriteRequest::Completed(Box::new(completion), None))
    }

    /// Ends the fetch of a URL whose record cannot be read. A damaged one is not picked again until the next
    /// start.
    fn skip_unreadable(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        now: Instant,
        error: StoreError,
    ) -> Result<(), CrawlError> {
        let backoff = if error.is_damage() {
            self.frontier.skip(queued);
            Backoff::None
        } else {
            self.frontier.requeue(queue, queued);
            Backoff::For(RESOURCE_PAUSE)
        };
        self.frontier.finish_fetch(queue, now, None, backoff);
        self.store_backoff.on_store_error(error)
    }

    fn update_gauges(&self) {
        let (progress, memory) = (&self.progress, self.crawler.memory());
        Progress::set(&progress.ready, self.frontier.ready_addresses());
        Progress::set(&progress.under_way, self.frontier.in_flight());
        Progress::set(&progress.slow, self.frontier.slow_in_flight());
        Progress::set(&progress.held, self.frontier.throttled());
        Progress::set(&progress.memory_bytes, memory.taken());
        progress.memory_waits.store(memory.waits(), Ordering::Relaxed);
        Progress::set(&progress.hosts, self.frontier.queue_count());
        Progress::set(&progress.paused, usize::from(self.store_backoff.is_paused()));
        progress.tick(self.state());
    }

    fn state(&self) -> CrawlState {
        let waits = self.writer.outstanding() == 0
            && !self.frontier.has_in_flight()
            && self.frontier.ready_addresses() == 0
            && !self.scan.has_arrivals();
        match self.store_backoff.pause_cause() {
            Some(cause) => CrawlState::Paused(cause),
            None if waits => CrawlState::Idle,
            None => CrawlState::Running,
        }
    }

    /// Waits for an event, and handles all that came.
    fn handle_events(
        &mut self,
        inbox: &Receiver<LoopEvent>,
        wait: Duration,
        writer_thread: &JoinHandle<()>,
    ) -> Result<(), CrawlError> {
        // Read before the events, so that its last events are among them.
        let writer_ended = writer_thread.is_finished();
        match inbox.recv_timeout(wait) {
            Ok(first) => {
                for event in std::iter::once(first).chain(inbox.try_iter()) {
                    let handled = self.handle(event);
                    self.store_backoff.tolerate(handled, ())?;
                }
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) if !writer_ended => Ok(()),
            Err(_) => Err(CrawlError::Broken),
        }
    }

    fn handle(&mut self, event: LoopEvent) -> Result<(), CrawlError> {
        let (frontier, hosts) = (&mut self.frontier, &mut self.hosts);
        match event {
            LoopEvent::Resolved { queue, url, at, address } => {
                hosts.on_resolved(frontier, &queue, &url, at, address)
            }
            LoopEvent::RobotsFetched(fetched) => {
                match hosts.on_robots_fetched(frontier, &self.backlog, fetched)? {
                    Some(url) => self.queue_sitemaps(&url),
                    None => Ok(()),
                }
            }
            LoopEvent::NotRequested { queue, queued, at, failure } => {
                self.writer.remove_outstanding();
                self.dispatcher.refund(&queued);
                hosts.on_not_requested(frontier, &queue, queued, at, &failure)
            }
            LoopEvent::PageFetched { queue, queued, at, waited, result } => {
                frontier.exclude_wait(&queue, waited);
                hosts.on_page_fetched(frontier, &queue, &queued, at, result)
            }
            LoopEvent::ChainContinued(queued, chain) => {
                // The next request waits for the host like any other.
                self.writer.remove_outstanding();
                self.dispatcher.refund(&queued);
                self.pages.add_chain(&queued, chain);
                frontier.complete(queued, Disposition::Retry);
                Ok(())
            }
            LoopEvent::Committed(report) => self.on_committed(report),
            LoopEvent::ArchiveFailed(fetched, error) => self.store_backoff.on_archive_failed(*fetched, error),
        }
    }

    /// Queues the sitemaps that a robots.txt declares, after each fetch of it. So they are read as often as
    /// it is.
    fn queue_sitemaps(&self, url: &CanonicalUrl) -> Result<(), CrawlError> {
        let found = self.dispatcher.declared_sitemaps(url);
        if found.is_empty() { Ok(()) } else { self.writer.send(WriteRequest::AddDiscovered(found)) }
    }

    fn on_committed(&mut self, report: CommitReport) -> Result<(), CrawlError> {
        for (url, disposition) in report.completed {
            self.writer.remove_outstanding();
            self.frontier.complete(url, disposition);
        }
        if let Some(failed) = report.failed {
            self.on_commit_failed(failed)?;
        }
        let added = self.add_arrivals(report.arrivals);
        self.store_backoff.tolerate(added, ())?;
        if report.merged {
            self.writer.on_merged();
        }
        if let Some(count) = report.due
            && self.writer.on_due(count)
        {
            self.request_due()?;
        }
        Ok(())
    }

    /// Takes back the URLs of a failed commit, for a retry. A single URL whose own rows are damaged is not
    /// picked again until the next start.
    fn on_commit_failed(&mut self, FailedCommit { queued, error }: FailedCommit) -> Result<(), CrawlError> {
        let is_the_cause = error.is_damage() && queued.len() == 1;
        Progress::add(&self.progress.unstored, queued.len() as u64);
        for queued in queued {
            self.writer.remove_outstanding();
            self.dispatcher.refund(&queued);
            if is_the_cause {
                self.frontier.skip(queued);
            } else {
                self.frontier.complete(queued, Disposition::Retry);
            }
        }
        self.store_backoff.on_store_error(error)
    }
}
