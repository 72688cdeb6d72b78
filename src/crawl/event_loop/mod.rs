//! The event loop: asks the frontier for work, starts it, and handles its results.
//!
//! The loop runs on the thread of the caller and may read the store. Its fetches run on the async runtime.
//! While it runs, only the writer stores visits. The loop itself stores seeds and requested visits, and the
//! robots.txt cache stores its files.
//!
//! The loop wires its parts, which do not know each other: [`QueueScan`] admits queues from disk,
//! [`UrlCheck`] decides about a picked URL, [`Dispatcher`] starts requests, [`HostEventHandler`] takes their
//! ends, [`WriterLedger`] knows what the writer owes, and [`StoreBackoff`] pauses the loop.

mod dispatch;
mod host_events;
mod queue_scan;
mod url_check;

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
    CommitReport, Completion, FailedCommit, LoopEvent, QueuedRobotsRequest, RobotsWaiter, WriteRequest,
};
use super::progress::Progress;
use super::state::CrawlState;
use super::timing::is_past;
use super::timing::{DISPATCH_SLICE, HEARTBEAT, RESOURCE_PAUSE};
use super::writer::link::{WriterLedger, WriterSender};
use super::{CrawlError, CrawlJob, Crawler, Reload};
use crate::clock::unix_now;
use crate::frontier::{Backoff, Frontier, NextStep};
use crate::model::{Arrival, DiscoveredUrl, Disposition, QueueEntry, QueueName};
use crate::store::{Commit, Store, StoreError};
use crate::urls::CanonicalUrl;

pub(super) use dispatch::{CrawlLimits, Dispatcher};
pub(super) use host_events::HostEventHandler;
pub(super) use queue_scan::QueueScan;
pub(super) use url_check::UrlCheck;

use dispatch::UrlRequest;
use url_check::UrlDecision;

/// See the module.
pub(super) struct CrawlLoop<'a> {
    crawler: &'a Crawler,
    job: &'a CrawlJob,
    store: Arc<Store>,
    progress: Arc<Progress>,
    frontier: Frontier<QueuedRobotsRequest>,
    backlog: StoreBacklog,
    queue_scan: QueueScan,
    url_check: UrlCheck,
    host_events: HostEventHandler,
    dispatcher: Dispatcher<'a>,
    writer: WriterLedger,
    store_backoff: StoreBackoff,
    /// When the loop gives up what is in flight; `None` while the crawl is not to stop early.
    give_up_at: Option<Instant>,
    /// When the crawl started, in Unix time.
    started_at: u64,
    /// Seeds and visits beyond the schedule that are not stored yet.
    unstored_seeds: Vec<DiscoveredUrl>,
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
        let limits = CrawlLimits::new(job.max_pages, job.max_time.map(|time| now + time));
        Ok(Self {
            crawler,
            job,
            store: Arc::clone(crawler.store()),
            progress: Arc::clone(crawler.progress()),
            frontier: Frontier::new(crawler.frontier_rules()),
            backlog: crawler.backlog(job.forever),
            queue_scan: crawler.queue_scan(),
            url_check: crawler.url_check(),
            host_events: crawler.host_event_handler(writer.clone(), job.forever),
            dispatcher: crawler.dispatcher(runtime, processor, limits),
            writer: WriterLedger::new(writer.clone(), now),
            store_backoff: crawler.store_backoff(job.forever, now),
            give_up_at: None,
            started_at: unix_now(),
            unstored_seeds: Vec::new(),
        })
    }

    /// Queues the seeds. Scans find the URLs of earlier crawls, and the writer queues due pages.
    pub(super) fn start(&mut self) -> Result<(), CrawlError> {
        self.unstored_seeds.extend(self.job.seeds.iter().cloned().map(DiscoveredUrl::seed));
        let stored = self.store_seeds();
        self.store_backoff.tolerate(stored, ())?;
        self.request_due()
    }

    fn store_seeds(&mut self) -> Result<(), CrawlError> {
        Progress::set(&self.progress.unstored_seeds, self.unstored_seeds.len());
        let discovered = self.unstored_seeds.clone();
        let arrivals = self.store.commit(Commit { discovered, ..Commit::default() })?;
        self.unstored_seeds.clear();
        Progress::set(&self.progress.unstored_seeds, 0);
        self.add_arrivals(arrivals)
    }

    fn add_arrivals(&mut self, arrivals: Vec<Arrival>) -> Result<(), CrawlError> {
        Ok(self.queue_scan.add_arrivals(arrivals, &mut self.frontier, &self.backlog)?)
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
            let wait = if self.queue_scan.has_arrivals() { Duration::ZERO } else { wait };
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
        self.unstored_seeds.extend(self.crawler.take_visits());
        if !self.unstored_seeds.is_empty() && !self.store_backoff.is_unwritable() {
            self.store_seeds()?;
        }
        if self.store_backoff.start_check(now) {
            self.frontier.prune(now, &self.backlog);
            self.host_events.prune(&self.frontier);
            for fetched in self.store_backoff.check_disks()? {
                self.dispatcher.process_again(fetched);
            }
        }
        self.queue_scan.admit_arrivals(&mut self.frontier, &self.backlog)?;
        Ok(self.queue_scan.step(now, &mut self.frontier, &self.backlog)?)
    }

    fn apply(&mut self, Reload { seeds, blocks }: Reload) {
        let extractor = self.dispatcher.extractor().successor(&seeds, blocks.clone());
        self.dispatcher.set_extractor(extractor);
        self.host_events.set_blocks(blocks.clone());
        self.url_check.set_blocks(blocks.clone());
        // The scan reads only queues that are not in memory.
        self.frontier.prune(Instant::now(), &self.backlog);
        self.queue_scan.set_blocks(blocks);
        self.unstored_seeds.extend(seeds.into_iter().map(DiscoveredUrl::seed));
    }

    fn request_due(&mut self) -> Result<(), CrawlError> {
        // A batch crawl visits what was due when it started. Pages that fall due meanwhile are left to the next crawl.
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
        self.progress.is_paused_by_operator()
            || self.store_backoff.is_paused()
            || self.host_events.is_short_of_resources()
    }

    /// How long to wait when no work may start; `None` when nothing is in flight and all results are stored.
    fn wait_or_finish(&self) -> Option<Duration> {
        let is_paused = self.is_paused() && self.give_up_at.is_none() && !self.dispatcher.is_at_limit();
        (is_paused || self.writer.outstanding() > 0 || self.frontier.has_in_flight()).then_some(HEARTBEAT)
    }

    /// Starts work until there is none, the limits are reached, or the time slice ends. Returns how long to
    /// wait; `None` ends the crawl.
    fn dispatch_ready(&mut self) -> Result<Option<Duration>, CrawlError> {
        let max_outstanding = self.crawler.max_outstanding();
        let mut now = Instant::now();
        let until = now + DISPATCH_SLICE;
        // Slow fetches have no record that waits to be stored.
        while self.frontier.has_fetch_slot(now)
            && self.writer.outstanding() < max_outstanding + self.frontier.slow_in_flight()
            && !self.dispatcher.is_at_limit()
            && !self.progress.is_paused_by_operator()
        {
            now = Instant::now();
            if now > until {
                return Ok(Some(Duration::ZERO));
            }
            match self.frontier.next(now, &self.backlog)? {
                NextStep::Resolve(queue, url) => self.dispatcher.start_resolution(queue, url),
                NextStep::RobotsTxt(queue, request) => self.start_robots_fetch(queue, request)?,
                NextStep::Url(queue, entry) => self.start_url(queue, entry, now)?,
                NextStep::Wait(until) => {
                    self.request_merge_if(self.writer.is_merge_due(now))?;
                    return Ok(Some(until.saturating_duration_since(now).min(HEARTBEAT)));
                }
                NextStep::Busy => {
                    self.request_merge_if(self.writer.is_merge_due(now))?;
                    return Ok(Some(HEARTBEAT));
                }
                NextStep::Drained => return self.handle_drained(),
            }
        }
        Ok(Some(HEARTBEAT))
    }

    /// Handles a frontier without work, now or later.
    fn handle_drained(&mut self) -> Result<Option<Duration>, CrawlError> {
        self.request_merge_if(true)?;
        if self.queue_scan.has_arrivals() {
            return Ok(Some(Duration::ZERO));
        }
        if self.writer.is_pending() || self.job.forever {
            return Ok(Some(HEARTBEAT));
        }
        if self.is_finished() {
            return Ok(None);
        }
        Ok(Some(self.queue_scan.step_last(&mut self.frontier, &self.backlog)))
    }

    /// Whether a batch crawl with a drained frontier ends: no arrival waits for admission, the writer owes nothing,
    /// and the last scan of the queues on disk has admitted no queue.
    ///
    /// The frontier is drained when no queue in memory has work, now or later. A crawl that runs forever
    /// never ends so.
    fn is_finished(&self) -> bool {
        !self.job.forever
            && !self.queue_scan.has_arrivals()
            && !self.writer.is_pending()
            && self.queue_scan.is_finished()
    }

    /// Asks the writer to merge the discovered URLs into the seen set, if it is `wanted` and useful.
    fn request_merge_if(&mut self, wanted: bool) -> Result<(), CrawlError> {
        if wanted && self.store.unmerged_urls() > 0 {
            self.writer.request_merge()?;
        }
        Ok(())
    }

    fn address(&self, queue: &QueueName) -> Result<IpAddr, CrawlError> {
        self.frontier.address(queue).ok_or(CrawlError::Broken)
    }

    fn start_robots_fetch(
        &mut self,
        queue: QueueName,
        request: QueuedRobotsRequest,
    ) -> Result<(), CrawlError> {
        let ip = self.address(&queue)?;
        self.dispatcher.start_robots_fetch(queue, ip, request);
        Ok(())
    }

    /// Starts the fetch of a queued URL, or what comes instead of it.
    fn start_url(&mut self, queue: QueueName, mut entry: QueueEntry, now: Instant) -> Result<(), CrawlError> {
        match self.url_check.decide(&mut entry) {
            Ok(UrlDecision::Fetch { permit, validators, chain }) => {
                let ip = self.address(&queue)?;
                self.writer.add_outstanding();
                let request = UrlRequest { queue, entry, ip, permit, validators, chain };
                self.dispatcher.start_url_fetch(request);
                Ok(())
            }
            Ok(UrlDecision::Complete(disposition)) => {
                self.complete_unfetched(&queue, entry, now, disposition)
            }
            Ok(UrlDecision::Park(length)) => {
                self.host_events.park_without_robots(&mut self.frontier, &queue, entry, now, length)
            }
            Ok(UrlDecision::Hold) => {
                self.frontier.requeue(&queue, entry);
                self.frontier.finish_fetch(&queue, now, None, Backoff::Held);
                Ok(())
            }
            Ok(UrlDecision::FetchRobots(request)) => {
                let waiter = RobotsWaiter { queue: queue.clone(), url: entry.url.clone() };
                self.frontier.requeue(&queue, entry);
                self.start_robots_fetch(queue, QueuedRobotsRequest { request, waiter })
            }
            Err(error) => self.skip_unreadable(&queue, entry, now, error),
        }
    }

    /// Completes a URL without a request.
    fn complete_unfetched(
        &mut self,
        queue: &QueueName,
        entry: QueueEntry,
        now: Instant,
        disposition: Disposition,
    ) -> Result<(), CrawlError> {
        self.writer.add_outstanding();
        self.frontier.finish_fetch(queue, now, None, Backoff::None);
        let completion = Completion {
            entry,
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
        entry: QueueEntry,
        now: Instant,
        error: StoreError,
    ) -> Result<(), CrawlError> {
        let backoff = if error.is_damage() {
            self.frontier.skip(entry);
            Backoff::None
        } else {
            self.frontier.requeue(queue, entry);
            Backoff::For(RESOURCE_PAUSE)
        };
        self.frontier.finish_fetch(queue, now, None, backoff);
        self.store_backoff.on_store_error(error)
    }

    fn update_gauges(&self) {
        let (progress, memory) = (&self.progress, self.crawler.memory());
        Progress::set(&progress.ready, self.frontier.ready_addresses());
        Progress::set(&progress.in_flight, self.frontier.in_flight());
        Progress::set(&progress.slow, self.frontier.slow_in_flight());
        Progress::set(&progress.throttled, self.frontier.throttled());
        Progress::set(&progress.memory_bytes, memory.taken());
        progress.memory_waits.store(memory.waits(), Ordering::Relaxed);
        Progress::set(&progress.queues, self.frontier.queue_count());
        Progress::set(&progress.paused, usize::from(self.store_backoff.is_paused()));
        progress.tick(self.state());
    }

    fn state(&self) -> CrawlState {
        let waits = self.writer.outstanding() == 0
            && !self.frontier.has_in_flight()
            && self.frontier.ready_addresses() == 0
            && !self.queue_scan.has_arrivals();
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
        let (frontier, hosts) = (&mut self.frontier, &mut self.host_events);
        match event {
            LoopEvent::Resolved { queue, url, ended_at, address } => {
                hosts.on_resolved(frontier, &queue, &url, ended_at, address)
            }
            LoopEvent::RobotsFetched(fetched) => {
                match hosts.on_robots_fetched(frontier, &self.backlog, fetched)? {
                    Some(url) => self.queue_sitemaps(&url),
                    None => Ok(()),
                }
            }
            LoopEvent::NotRequested { queue, entry, ended_at, failure } => {
                self.writer.remove_outstanding();
                self.dispatcher.refund(&entry);
                hosts.on_not_requested(frontier, &queue, entry, ended_at, &failure)
            }
            LoopEvent::UrlFetched { queue, entry, ended_at, waited, result } => {
                frontier.exclude_wait(&queue, waited);
                hosts.on_url_fetched(frontier, &queue, &entry, ended_at, result)
            }
            LoopEvent::ChainContinued(entry, chain) => {
                // The next request waits for the host like any other.
                self.writer.remove_outstanding();
                self.dispatcher.refund(&entry);
                self.url_check.add_chain(&entry, chain);
                frontier.complete(entry, Disposition::Retry);
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
    fn on_commit_failed(&mut self, FailedCommit { entries, error }: FailedCommit) -> Result<(), CrawlError> {
        let is_the_cause = error.is_damage() && entries.len() == 1;
        Progress::add(&self.progress.unstored, entries.len() as u64);
        for entry in entries {
            self.writer.remove_outstanding();
            self.dispatcher.refund(&entry);
            if is_the_cause {
                self.frontier.skip(entry);
            } else {
                self.frontier.complete(entry, Disposition::Retry);
            }
        }
        self.store_backoff.on_store_error(error)
    }
}
