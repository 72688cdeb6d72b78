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
use crate::crawl::messages::{FetchedResponse, HostResult, LoopEvent, RobotsRequest, RobotsResult};
use crate::crawl::process::ResponseProcessor;
use crate::crawl::progress::Progress;
use crate::crawl::timing::is_past;
use crate::crawl::walls::redirect_chain::RedirectChain;
use crate::fetch::{Allowed, FetchOutcome, Fetcher, Response, RobotsCache, Validators};
use crate::model::{Cut, FailureKind, Found, QueueName, QueuedUrl, Target};
use crate::urls::CanonicalUrl;

/// The limit of page fetches, and the time limit.
pub(in crate::crawl) struct FetchBudget {
    max_pages: Option<u64>,
    deadline: Option<Instant>,
    pages: u64,
}

impl FetchBudget {
    pub(crate) fn new(max_pages: Option<u64>, deadline: Option<Instant>) -> Self {
        Self { max_pages, deadline, pages: 0 }
    }

    fn is_exhausted(&self) -> bool {
        self.max_pages.is_some_and(|most| self.pages >= most) || is_past(self.deadline)
    }

    fn take(&mut self, queued: &QueuedUrl) {
        self.pages += u64::from(queued.target == Target::Page);
    }

    fn refund(&mut self, queued: &QueuedUrl) {
        self.pages = self.pages.saturating_sub(u64::from(queued.target == Target::Page));
    }
}

/// The request of a page or a sitemap.
pub(in crate::crawl) struct PageRequest {
    pub queue: QueueName,
    pub queued: QueuedUrl,
    pub ip: IpAddr,
    pub permit: Allowed,
    pub validators: Option<Validators>,
    pub chain: Option<RedirectChain>,
}

/// Starts resolutions and fetches, within the budget of the crawl. Their ends are events of the loop.
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
    budget: FetchBudget,
}

impl<'a> Dispatcher<'a> {
    pub(crate) fn new(
        runtime: &'a tokio::runtime::Handle,
        fetcher: &Arc<Fetcher>,
        robots: &Arc<RobotsCache>,
        processor: ResponseProcessor,
        progress: &Arc<Progress>,
        max_sitemap_bytes: usize,
        budget: FetchBudget,
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
            budget,
        }
    }

    /// Whether no further page may be fetched.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.budget.is_exhausted()
    }

    /// Returns a page to the budget, because it was not fetched, or is fetched again.
    pub(crate) fn refund(&mut self, queued: &QueuedUrl) {
        self.budget.refund(queued);
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
    pub(crate) fn declared_sitemaps(&self, url: &CanonicalUrl) -> Vec<Found> {
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
            let _ = events.send(LoopEvent::Resolved { queue, url, at: Instant::now(), address });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub(crate) fn start_robots_fetch(&mut self, queue: QueueName, ip: IpAddr, request: RobotsRequest) {
        Progress::add(&self.progress.robots, 1);
        let RobotsRequest { job, waiter } = request;
        let (robots, processor) = (Arc::clone(&self.robots), self.processor.clone());
        let events = self.events.clone();
        let task = async move {
            let (requested, requested_at) = (job.url().clone(), unix_now());
            let waited = AtomicU64::new(0);
            let archive_response = |answer: &Response| {
                if processor.has_archive() {
                    processor.process(FetchedResponse {
                        url: requested.clone(),
                        chain: None,
                        requested_at,
                        validators: None,
                        outcome: FetchOutcome::Answered(Box::new(answer.clone())),
                        queued: None,
                    });
                }
                waited.store(u64::try_from(answer.waited.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            };
            let step = robots.fetch_and_show(job, ip, &archive_response).await;
            let (at, waited) = (Instant::now(), Duration::from_millis(waited.into_inner()));
            let fetched = RobotsResult { queue, requested, waiter, at, waited, step };
            let _ = events.send(LoopEvent::RobotsFetched(fetched));
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub(crate) fn start_page_fetch(&mut self, request: PageRequest) {
        self.budget.take(&request.queued);
        let (fetcher, processor) = (Arc::clone(&self.fetcher), self.processor.clone());
        let (events, max_sitemap_bytes) = (self.events.clone(), self.max_sitemap_bytes);
        let task = async move {
            let PageRequest { queue, queued, ip, permit, validators, chain } = request;
            let (requested_at, crawl_delay) = (unix_now(), permit.crawl_delay());
            let url = permit.url().clone();
            let cookies = chain.as_ref().map(|chain| &chain.cookies);
            let fetched = match &queued.target {
                Target::Page => fetcher.fetch(permit, ip, validators.as_ref(), cookies).await,
                Target::Sitemap(_) => fetcher.fetch_file(permit, ip, cookies, max_sitemap_bytes).await,
            };
            // The host's delay starts now, not when the page is parsed.
            let at = Instant::now();
            let outcome = match fetched {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let _ = events.send(LoopEvent::NotRequested { queue, queued, at, failure });
                    return;
                }
            };
            let waited = match &outcome {
                FetchOutcome::Answered(answer) => answer.waited,
                FetchOutcome::Failed(..) => Duration::ZERO,
            };
            let (result, page) = (host_result(&outcome, crawl_delay), queued.clone());
            let _ = events.send(LoopEvent::PageFetched { queue, queued: page, at, waited, result });
            let queued = Some(queued);
            processor.spawn(FetchedResponse { url, chain, requested_at, validators, outcome, queued });
        };
        self.tasks.spawn_on(task, self.runtime);
    }
}

/// What a fetch says about the host.
fn host_result(outcome: &FetchOutcome, crawl_delay: Option<Duration>) -> HostResult {
    match outcome {
        // A server that is too slow fails, although the part of the page that came is kept.
        FetchOutcome::Answered(answer) if answer.cut == Some(Cut::Time) => {
            HostResult::Failed { kind: FailureKind::Timeout, crawl_delay }
        }
        FetchOutcome::Answered(answer) => {
            HostResult::Answered { status: answer.status, retry_after: answer.retry_after, crawl_delay }
        }
        FetchOutcome::Failed(kind, _) => HostResult::Failed { kind: *kind, crawl_delay },
    }
}
