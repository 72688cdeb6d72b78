//! The event loop: asks the frontier for work, starts it, and handles its results.
//!
//! The loop runs on the thread of the caller and may read the store. Its fetches run on the async runtime.
//! While it runs, only the writer writes to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::task::JoinSet;

use super::adapters::backlog::StoreBacklog;
use super::archive::Archive;
use super::backoff::host::HostBackoff;
use super::backoff::resources::ResourceBackoff;
use super::backoff::store::StoreBackoff;
use super::dispatch::RobotsRequest;
use super::extract::Extractor;
use super::messages::{CommitReport, LoopEvent, WriteRequest};
use super::process::FetchedResponse;
use super::progress::{Progress, is_past, unix_now};
use super::queue_scan::QueueScan;
use super::timing::{DISPATCH_SLICE, HEARTBEAT, HOUSEKEEPING_INTERVAL, MIN_RESIDENCY};
use super::walls::redirect_chain::RedirectChain;
use super::writer::link::WriterLink;
use super::{CrawlError, CrawlJob, Crawler, Reload};
use crate::frontier::{Frontier, FrontierRules, Next};
use crate::model::{Found, QueueName};
use crate::store::{Commit, StoreError};
use crate::urls::CanonicalUrl;

pub(super) struct CrawlLoop<'a> {
    pub crawler: &'a Crawler,
    pub job: &'a CrawlJob,
    pub runtime: &'a tokio::runtime::Handle,
    pub backlog: StoreBacklog,
    pub frontier: Frontier<RobotsRequest>,
    pub events: Sender<LoopEvent>,
    pub writer: WriterLink,
    /// The tasks on the async runtime. They are aborted when the loop ends.
    pub tasks: JoinSet<()>,
    pub pages_dispatched: u64,
    /// The recent failures of hosts, by queue.
    pub host_backoffs: FxHashMap<QueueName, HostBackoff>,
    pub resource_backoff: ResourceBackoff,
    pub extractor: Arc<Extractor>,
    /// Writes the responses to WARC files, if configured.
    pub archive: Option<Arc<Archive>>,
    deadline: Option<Instant>,
    /// When the loop gives up what is in flight; `None` while the crawl is not to stop early.
    pub give_up_at: Option<Instant>,
    /// When the crawl started, in Unix time.
    started_at: u64,
    pub next_housekeeping: Instant,
    pub queue_scan: QueueScan,
    /// Whether no pages are fetched because the disks or the store take no more.
    pub paused: bool,
    pub store_backoff: StoreBackoff,
    /// Seeds that are not stored yet.
    unqueued: Vec<CanonicalUrl>,
    /// Responses that could not be archived, for a retry.
    pub unarchived: Vec<FetchedResponse>,
    /// Redirect chains that continue within the visit of a page, by the queued URL.
    pub chains: FxHashMap<CanonicalUrl, RedirectChain>,
}

impl<'a> CrawlLoop<'a> {
    pub fn new(
        crawler: &'a Crawler,
        job: &'a CrawlJob,
        runtime: &'a tokio::runtime::Handle,
        events: Sender<LoopEvent>,
        work: Sender<WriteRequest>,
    ) -> Result<Self, StoreError> {
        let config = &crawler.config;
        let now = Instant::now();
        let backlog = StoreBacklog::new(&crawler.store, &config.crawl);
        let backlog = if job.forever { backlog.tolerate_damage(&crawler.progress) } else { backlog };
        Ok(Self {
            crawler,
            job,
            runtime,
            backlog,
            frontier: Frontier::new(FrontierRules {
                fetchers: config.crawl.fetchers,
                slow_fetchers: config.crawl.slow_fetchers,
                slow_after: config.crawl.slow_after.0,
                resolvers: config.crawl.resolvers,
                window: config.crawl.host_queue_in_memory,
                max_queues: config.crawl.hosts_in_memory,
                min_residency: MIN_RESIDENCY,
                address_ttl: config.fetch.dns_ttl.0,
            }),
            events,
            writer: WriterLink::new(work, now),
            tasks: JoinSet::new(),
            pages_dispatched: 0,
            host_backoffs: FxHashMap::default(),
            resource_backoff: ResourceBackoff::default(),
            extractor: Arc::new(Extractor::new(crawler, &[&job.seeds[..], &job.former_seeds].concat())?),
            archive: None,
            deadline: job.max_time.map(|time| now + time),
            give_up_at: None,
            started_at: unix_now(),
            next_housekeeping: now,
            queue_scan: QueueScan::new(),
            paused: false,
            store_backoff: StoreBackoff::default(),
            unqueued: Vec::new(),
            unarchived: Vec::new(),
            chains: FxHashMap::default(),
        })
    }

    /// Queues the seeds. Scans find the URLs of earlier crawls, and the writer queues due pages.
    pub fn start(&mut self) -> Result<(), CrawlError> {
        self.unqueued.clone_from(&self.job.seeds);
        let queued = self.queue_seeds();
        self.tolerate(queued, ())?;
        self.request_due()
    }

    fn queue_seeds(&mut self) -> Result<(), CrawlError> {
        Progress::set(&self.crawler.progress.unqueued, self.unqueued.len());
        let found = self.unqueued.iter().cloned().map(Found::seed).collect();
        let arrivals = self.crawler.store.commit(Commit { found, ..Commit::default() })?;
        self.unqueued.clear();
        Progress::set(&self.crawler.progress.unqueued, 0);
        self.add_arrivals(arrivals)
    }

    pub fn run(
        &mut self,
        inbox: &Receiver<LoopEvent>,
        stop: &AtomicBool,
        writer_thread: &JoinHandle<()>,
    ) -> Result<(), CrawlError> {
        loop {
            if self.give_up_at.is_none() && (stop.load(Ordering::Relaxed) || self.is_out_of_disk()) {
                self.give_up_at = Some(Instant::now() + self.crawler.config.crawl.drain.0);
            }
            self.reap_tasks()?;
            let kept = self.run_periodic_work();
            self.tolerate(kept, ())?;
            let may_dispatch = self.give_up_at.is_none()
                && !self.is_at_limit()
                && !self.paused
                && !self.resource_backoff.is_active();
            let wait = if may_dispatch {
                let wait = self.dispatch_ready();
                self.tolerate(wait, Some(HEARTBEAT))?
            } else {
                self.wait_or_finish()
            };
            self.update_gauges();
            let Some(wait) = wait else { return Ok(()) };
            if is_past(self.give_up_at) {
                tracing::warn!(
                    pages = self.writer.outstanding,
                    "fetches in flight were given up after crawl.drain; they stay in the queue"
                );
                return Ok(());
            }
            let wait = if self.queue_scan.has_arrivals() { Duration::ZERO } else { wait };
            // Read before the events, so that its last events are among them.
            let writer_ended = writer_thread.is_finished();
            match inbox.recv_timeout(wait) {
                Ok(event) => {
                    let taken = self.handle(event);
                    self.tolerate(taken, ())?;
                    while let Ok(event) = inbox.try_recv() {
                        let taken = self.handle(event);
                        self.tolerate(taken, ())?;
                    }
                }
                Err(RecvTimeoutError::Timeout) if !writer_ended => {}
                Err(_) => return Err(CrawlError::Broken),
            }
        }
    }

    /// Removes the tasks that ended. A task that panicked leaves its URL without a fate, so the crawl cannot
    /// continue.
    fn reap_tasks(&mut self) -> Result<(), CrawlError> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.map_err(|_| CrawlError::Broken)?;
        }
        Ok(())
    }

    /// Does the work that is due from time to time.
    fn run_periodic_work(&mut self) -> Result<(), CrawlError> {
        let now = Instant::now();
        if self.job.forever && now >= self.writer.next_due {
            self.request_due()?;
        }
        if let Some(Reload { seeds, blocks }) = self.crawler.take_reload() {
            self.crawler.set_blocks(blocks);
            self.extractor = Arc::new(self.extractor.successor(self.crawler, &seeds));
            self.unqueued.extend(seeds);
        }
        if !self.unqueued.is_empty() && !self.store_backoff.is_unwritable() {
            self.queue_seeds()?;
        }
        if now >= self.next_housekeeping {
            self.next_housekeeping = now + HOUSEKEEPING_INTERVAL;
            self.frontier.prune(now, &self.backlog);
            let frontier = &self.frontier;
            self.host_backoffs.retain(|queue, _| frontier.contains(queue));
            self.check_disks()?;
        }
        self.admit_arrivals()?;
        self.continue_scan(now)
    }

    /// A batch does not wait for free disk space.
    fn is_out_of_disk(&self) -> bool {
        self.paused && !self.job.forever
    }

    fn request_due(&mut self) -> Result<(), CrawlError> {
        // A batch visits what was due when it started. Pages that fall due meanwhile are left to the next crawl.
        self.writer.request_due(if self.job.forever { unix_now() } else { self.started_at })
    }

    pub fn is_at_limit(&self) -> bool {
        self.job.max_pages.is_some_and(|most| self.pages_dispatched >= most) || is_past(self.deadline)
    }

    /// How long to wait when no work may start; `None` when nothing is in flight and all results are stored.
    fn wait_or_finish(&self) -> Option<Duration> {
        let pauses = self.paused || self.resource_backoff.is_active();
        let paused = pauses && self.give_up_at.is_none() && !self.is_at_limit();
        (paused || self.writer.outstanding > 0 || self.frontier.has_in_flight()).then_some(HEARTBEAT)
    }

    /// Starts work until there is none, the limits are reached, or the time slice ends. Returns how long to
    /// wait; `None` ends the crawl.
    fn dispatch_ready(&mut self) -> Result<Option<Duration>, CrawlError> {
        let config = &self.crawler.config.crawl;
        let unstored = config.fetchers + config.store_queue;
        let mut now = Instant::now();
        let until = now + DISPATCH_SLICE;
        // Slow fetches have no record that waits to be stored.
        while self.frontier.has_fetch_slot(now)
            && self.writer.outstanding < unstored + self.frontier.slow_in_flight()
            && !self.is_at_limit()
        {
            now = Instant::now();
            if now > until {
                return Ok(Some(Duration::ZERO));
            }
            match self.frontier.next(now, &self.backlog)? {
                Next::Resolve(queue, url) => self.start_resolution(queue, url),
                Next::RobotsTxt(queue, request) => self.start_robots_fetch(queue, request)?,
                Next::Page(queue, queued) => self.start_page(queue, queued, now)?,
                Next::Wait(until) => {
                    self.request_merge_if(now >= self.writer.next_merge)?;
                    return Ok(Some(until.saturating_duration_since(now).min(HEARTBEAT)));
                }
                Next::Busy => {
                    self.request_merge_if(now >= self.writer.next_merge)?;
                    return Ok(Some(HEARTBEAT));
                }
                Next::Drained => return self.drained(),
            }
        }
        Ok(Some(HEARTBEAT))
    }

    /// Handles a frontier without work, now or later.
    fn drained(&mut self) -> Result<Option<Duration>, CrawlError> {
        self.request_merge_if(true)?;
        if self.queue_scan.has_arrivals() {
            return Ok(Some(Duration::ZERO));
        }
        if self.writer.is_pending() || self.job.forever {
            return Ok(Some(HEARTBEAT));
        }
        Ok(if self.is_finished() { None } else { Some(self.continue_last_scan()) })
    }

    /// Whether a batch with a drained frontier ends: no arrival waits for admission, the writer owes nothing,
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

    /// Asks the writer to merge the discovered URLs into the known ones, if it is `wanted` and useful.
    fn request_merge_if(&mut self, wanted: bool) -> Result<(), CrawlError> {
        if wanted && self.crawler.store.pending_urls() > 0 {
            self.writer.request_merge()?;
        }
        Ok(())
    }

    fn update_gauges(&self) {
        let progress = &self.crawler.progress;
        Progress::set(&progress.ready, self.frontier.ready_addresses());
        Progress::set(&progress.under_way, self.frontier.in_flight());
        Progress::set(&progress.slow, self.frontier.slow_in_flight());
        Progress::set(&progress.held, self.frontier.throttled());
        Progress::set(&progress.memory_bytes, self.crawler.memory.taken());
        progress.memory_waits.store(self.crawler.memory.waits(), Ordering::Relaxed);
        Progress::set(&progress.hosts, self.frontier.queue_count());
        Progress::set(&progress.paused, usize::from(self.paused));
    }

    fn handle(&mut self, event: LoopEvent) -> Result<(), CrawlError> {
        match event {
            LoopEvent::Resolved { queue, url, at, address } => self.on_resolved(&queue, &url, at, address)?,
            LoopEvent::RobotsFetched { queue, requested, waiter, at, waited, step } => {
                self.frontier.exclude_wait(&queue, waited);
                self.on_robots_fetched(&queue, &requested, waiter, at, step)?;
            }
            LoopEvent::NotRequested { queue, queued, at, failure } => {
                self.on_not_requested(&queue, queued, at, &failure)?
            }
            LoopEvent::PageFetched { queue, queued, at, waited, result } => {
                self.frontier.exclude_wait(&queue, waited);
                self.on_page_fetched(&queue, &queued, at, result)?;
            }
            LoopEvent::ChainContinued(queued, chain) => self.on_chain_continued(queued, chain),
            LoopEvent::Committed(report) => self.on_committed(report)?,
            LoopEvent::ArchiveFailed(fetched, error) => self.on_archive_failed(*fetched, error)?,
        }
        Ok(())
    }

    fn on_committed(&mut self, report: CommitReport) -> Result<(), CrawlError> {
        for (url, fate) in report.completed {
            self.writer.outstanding -= 1;
            self.frontier.complete(url, fate);
        }
        if let Some(failed) = report.failed {
            self.on_commit_failed(failed)?;
        }
        let arrived = self.add_arrivals(report.arrivals);
        self.tolerate(arrived, ())?;
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
}
