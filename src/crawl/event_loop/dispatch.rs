//! Starts resolutions and fetches on the async runtime.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::clock::unix_now;
use crate::crawl::CrawlError;
use crate::crawl::extract::Extractor;
use crate::crawl::messages::{FetchedResponse, HostResult, LoopEvent, QueuedRobotsRequest, RobotsResult};
use crate::crawl::process::ResponseProcessor;
use crate::crawl::progress::Progress;
use crate::crawl::timing::is_past;
use crate::crawl::walls::redirect_chain::RedirectChain;
use crate::fetch::{FetchOutcome, FetchPermit, Fetcher, Response, RobotsCache, Validators};
use crate::model::{Cut, DiscoveredUrl, FailureKind, QueueEntry, QueueName, Target};
use crate::urls::CanonicalUrl;

/// The limits of a crawl: of page fetches, and of time.
pub(in crate::crawl) struct CrawlLimits {
    max_pages: Option<u64>,
    deadline: Option<Instant>,
    pages: u64,
}

impl CrawlLimits {
    pub(crate) fn new(max_pages: Option<u64>, deadline: Option<Instant>) -> Self {
        Self { max_pages, deadline, pages: 0 }
    }

    fn is_exhausted(&self) -> bool {
        self.max_pages.is_some_and(|most| self.pages >= most) || is_past(self.deadline)
    }

    fn take(&mut self, entry: &QueueEntry) {
        self.pages += u64::from(entry.target == Target::Page);
    }

    fn refund(&mut self, entry: &QueueEntry) {
        self.pages = self.pages.saturating_sub(u64::from(entry.target == Target::Page));
    }
}

/// The request of a page or a sitemap.
pub(in crate::crawl) struct UrlRequest {
    pub queue: QueueName,
    pub entry: QueueEntry,
    pub ip: IpAddr,
    pub permit: FetchPermit,
    pub validators: Option<Validators>,
    pub chain: Option<RedirectChain>,
}

/// Starts resolutions and fetches, within the limits of the crawl. Their ends are events of the loop.
pub(in crate::crawl) struct Dispatcher<'a> {
    runtime: &'a tokio::runtime::Handle,
    /// The tasks on the async runtime. They are aborted when the dispatcher is dropped.
    tasks: JoinSet<()>,
    events: Sender<LoopEvent>,
    fetcher: Arc<Fetcher>,
    robots: Arc<RobotsCache>,
    processor: ResponseProcessor,
    progress: Arc<Progress>,
    max_sitemap_bytes: usize,
    limits: CrawlLimits,
}

impl<'a> Dispatcher<'a> {
    pub(crate) fn new(
        runtime: &'a tokio::runtime::Handle,
        fetcher: &Arc<Fetcher>,
        robots: &Arc<RobotsCache>,
        processor: ResponseProcessor,
        progress: &Arc<Progress>,
        max_sitemap_bytes: usize,
        limits: CrawlLimits,
    ) -> Self {
        Self {
            runtime,
            tasks: JoinSet::new(),
            events: processor.events(),
            fetcher: Arc::clone(fetcher),
            robots: Arc::clone(robots),
            processor,
            progress: Arc::clone(progress),
            max_sitemap_bytes,
            limits,
        }
    }

    /// Whether no further page may be fetched.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.limits.is_exhausted()
    }

    /// Uncounts a page, because it was not fetched, or is fetched again.
    pub(crate) fn refund(&mut self, entry: &QueueEntry) {
        self.limits.refund(entry);
    }

    /// Removes the tasks that ended. A task that panicked leaves its URL without a disposition, so the crawl
    /// cannot continue.
    pub(crate) fn reap_tasks(&mut self) -> Result<(), CrawlError> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.map_err(|_| CrawlError::Broken)?;
        }
        Ok(())
    }

    pub(crate) fn extractor(&self) -> &Extractor {
        self.processor.extractor()
    }

    /// Processes the responses of later fetches with another extractor.
    pub(crate) fn set_extractor(&mut self, extractor: Extractor) {
        self.processor.set_extractor(extractor);
    }

    /// Returns entries for the sitemaps that the robots.txt of this URL's host declares.
    pub(crate) fn declared_sitemaps(&self, url: &CanonicalUrl) -> Vec<DiscoveredUrl> {
        self.processor.extractor().declared_sitemaps(&self.robots, url)
    }

    /// Processes a response again that could not be archived.
    pub(crate) fn process_again(&self, fetched: FetchedResponse) {
        self.processor.clone().spawn(fetched);
    }

    pub(crate) fn start_resolution(&mut self, queue: QueueName, url: CanonicalUrl) {
        let (fetcher, events) = (Arc::clone(&self.fetcher), self.events.clone());
        let task = async move {
            let address = fetcher.addresses().resolve(&url).await;
            let _ = events.send(LoopEvent::Resolved { queue, url, ended_at: Instant::now(), address });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub(crate) fn start_robots_fetch(
        &mut self,
        queue: QueueName,
        ip: IpAddr,
        queued_request: QueuedRobotsRequest,
    ) {
        Progress::add(&self.progress.robots, 1);
        let QueuedRobotsRequest { request, waiter } = queued_request;
        let (robots, processor) = (Arc::clone(&self.robots), self.processor.clone());
        let events = self.events.clone();
        let task = async move {
            let (requested, requested_at) = (request.url().clone(), unix_now());
            let waited = AtomicU64::new(0);
            let archive_response = |response: &Response| {
                if processor.has_archive() {
                    processor.process(FetchedResponse {
                        requested: requested.clone(),
                        chain: None,
                        requested_at,
                        validators: None,
                        outcome: FetchOutcome::Responded(Box::new(response.clone())),
                        entry: None,
                    });
                }
                waited
                    .store(u64::try_from(response.waited.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            };
            let outcome = robots.fetch_and_pass(request, ip, &archive_response).await;
            let (ended_at, waited) = (Instant::now(), Duration::from_millis(waited.into_inner()));
            let fetched = RobotsResult { queue, requested, waiter, ended_at, waited, outcome };
            let _ = events.send(LoopEvent::RobotsFetched(fetched));
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub(crate) fn start_url_fetch(&mut self, request: UrlRequest) {
        self.limits.take(&request.entry);
        let (fetcher, processor) = (Arc::clone(&self.fetcher), self.processor.clone());
        let (events, max_sitemap_bytes) = (self.events.clone(), self.max_sitemap_bytes);
        let task = async move {
            let UrlRequest { queue, entry, ip, permit, validators, chain } = request;
            let (requested_at, crawl_delay) = (unix_now(), permit.crawl_delay());
            let requested = permit.url().clone();
            let cookies = chain.as_ref().map(|chain| &chain.cookies);
            let fetched = match &entry.target {
                Target::Page => fetcher.fetch(permit, ip, validators.as_ref(), cookies).await,
                Target::Sitemap(_) => fetcher.fetch_file(permit, ip, cookies, max_sitemap_bytes).await,
            };
            // The host's delay starts now, not when the page is parsed.
            let ended_at = Instant::now();
            let outcome = match fetched {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let _ = events.send(LoopEvent::NotRequested { queue, entry, ended_at, failure });
                    return;
                }
            };
            let waited = match &outcome {
                FetchOutcome::Responded(response) => response.waited,
                FetchOutcome::Failed(..) => Duration::ZERO,
            };
            let (result, fetched_entry) = (host_result(&outcome, crawl_delay), entry.clone());
            let _ =
                events.send(LoopEvent::UrlFetched { queue, entry: fetched_entry, ended_at, waited, result });
            let entry = Some(entry);
            processor.spawn(FetchedResponse { requested, chain, requested_at, validators, outcome, entry });
        };
        self.tasks.spawn_on(task, self.runtime);
    }
}

/// What a fetch says about the host.
fn host_result(outcome: &FetchOutcome, crawl_delay: Option<Duration>) -> HostResult {
    match outcome {
        // A server that is too slow fails, although the part of the page that came is kept.
        FetchOutcome::Responded(response) if response.cut == Some(Cut::Time) => {
            HostResult::Failed { kind: FailureKind::Timeout, crawl_delay }
        }
        FetchOutcome::Responded(response) => {
            HostResult::Responded { status: response.status, retry_after: response.retry_after, crawl_delay }
        }
        FetchOutcome::Failed(kind, _) => HostResult::Failed { kind: *kind, crawl_delay },
    }
}
