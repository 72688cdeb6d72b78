//! Starts resolutions and fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::CrawlError;
use super::event_loop::CrawlLoop;
use super::messages::{Completion, Disposition, HostResult, LoopEvent, RobotsWaiter, WriteRequest};
use super::process::{FetchedResponse, ResponseProcessor};
use super::progress::{Progress, unix_now};
use super::walls::redirect_chain::RedirectChain;
use crate::fetch::{Allowed, FetchOutcome, Response, RobotsAnswer, RobotsFetch, Validators};
use crate::frontier::Backoff;
use crate::model::{CLOCK_ERROR, Cut, FailureKind, Fate, Priority, QueueName, QueuedUrl, StoredPage, Target};
use crate::urls::CanonicalUrl;

/// Redirect chains that wait for their next request. A chain beyond the limit starts over.
const MAX_CHAINS: usize = 10_000;

/// A robots.txt to fetch, and the queue that waits for it.
#[derive(Debug)]
pub(super) struct RobotsRequest {
    pub job: RobotsFetch,
    pub waiter: RobotsWaiter,
}

impl CrawlLoop<'_> {
    pub fn start_resolution(&mut self, queue: QueueName, url: CanonicalUrl) {
        let (fetcher, events) = (Arc::clone(&self.crawler.fetcher), self.events.clone());
        let task = async move {
            let address = fetcher.addresses().resolve(&url).await;
            let _ = events.send(LoopEvent::Resolved { queue, url, at: Instant::now(), address });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub fn start_robots_fetch(
        &mut self,
        queue: QueueName,
        RobotsRequest { job, waiter }: RobotsRequest,
    ) -> Result<(), CrawlError> {
        let ip = self.frontier.address(&queue).ok_or(CrawlError::Broken)?;
        Progress::add(&self.crawler.progress.robots, 1);
        let (robots, processor) = (Arc::clone(&self.crawler.robots), self.processor());
        let task = async move {
            let (requested, requested_at) = (job.url().clone(), unix_now());
            let waited = AtomicU64::new(0);
            let archive_response = |answer: &Response| {
                if processor.archive.is_some() {
                    let outcome = FetchOutcome::Answered(Box::new(answer.clone()));
                    let url = requested.clone();
                    let (queued, chain) = (None, None);
                    processor.process(FetchedResponse {
                        url,
                        chain,
                        requested_at,
                        validators: None,
                        outcome,
                        queued,
                    });
                }
                waited.store(answer.waited.as_millis() as u64, Ordering::Relaxed);
            };
            let step = robots.fetch_and_show(job, ip, &archive_response).await;
            let (at, waited) = (Instant::now(), Duration::from_millis(waited.into_inner()));
            let _ = processor.events.send(LoopEvent::RobotsFetched {
                queue,
                requested,
                waiter,
                at,
                waited,
                step,
            });
        };
        self.tasks.spawn_on(task, self.runtime);
        Ok(())
    }

    /// Starts the fetch of a queued URL, if its stored record, the block list and robots.txt allow it.
    pub fn start_page(
        &mut self,
        queue: QueueName,
        queued: QueuedUrl,
        now: Instant,
    ) -> Result<(), CrawlError> {
        let store = &self.crawler.store;
        let (queued, page) = match queued.target {
            Target::Page => match store.page(&queued.url) {
                Ok(page) => (queued, page),
                Err(error) => return self.skip_unreadable(&queue, queued, now, error),
            },
            // Further hosts may have named the sitemap since its entry was read.
            Target::Sitemap(_) => match store.entry_now(&queued) {
                Ok(Some(queued)) => (queued, None),
                Err(error) => return self.skip_unreadable(&queue, queued, now, error),
                Ok(None) => return self.complete_unfetched(queue, queued, now, Disposition::Withdrawn),
            },
        };
        if let Some(disposition) = self.disposition_if_visited(&queued, page.as_ref()) {
            return self.complete_unfetched(queue, queued, now, disposition);
        }
        if self.crawler.blocks().blocks(queued.url.host()) {
            Progress::add(&self.crawler.progress.blocked, 1);
            return self.postpone(queue, queued, now);
        }
        if let Some(chain) = self.chains.remove(&queued.url)
            && let RobotsAnswer::Allowed(permit) = self.crawler.robots.check(&chain.next)
        {
            self.count_dispatched(&queued);
            return self.start_fetch(queue, queued, permit, None, Some(chain));
        }
        match self.crawler.robots.check(&queued.url) {
            RobotsAnswer::Allowed(permit) => {
                self.count_dispatched(&queued);
                self.start_fetch(queue, queued, permit, page.and_then(validators), None)?;
            }
            RobotsAnswer::Disallowed { line } => {
                tracing::debug!(url = %queued.url, line, "robots.txt disallows the URL");
                Progress::add(&self.crawler.progress.disallowed, 1);
                self.postpone(queue, queued, now)?;
            }
            RobotsAnswer::Unreachable { retry_in } => {
                self.frontier.requeue(&queue, queued);
                self.record_backoff(&queue, retry_in)?;
                self.frontier.finish_fetch(&queue, now, None, Backoff::Parked(retry_in));
            }
            RobotsAnswer::NeedsFetch(job) => {
                let waiter = RobotsWaiter { queue: queue.clone(), url: queued.url.clone() };
                self.frontier.requeue(&queue, queued);
                self.start_robots_fetch(queue, RobotsRequest { job, waiter })?;
            }
        }
        Ok(())
    }

    fn count_dispatched(&mut self, queued: &QueuedUrl) {
        self.writer.outstanding += 1;
        self.pages_dispatched += u64::from(queued.target == Target::Page);
    }

    /// Continues a redirect chain within the visit of its page. The next request waits for the host like any
    /// other.
    pub fn on_chain_continued(&mut self, queued: QueuedUrl, chain: RedirectChain) {
        self.writer.outstanding -= 1;
        self.pages_dispatched -= u64::from(queued.target == Target::Page);
        if self.chains.len() < MAX_CHAINS {
            self.chains.insert(queued.url.clone(), chain);
        }
        self.frontier.complete(queued, Fate::Again);
    }

    /// Returns the disposition of an entry whose visit was made already, because a URL may be queued twice. A
    /// page without a next visit has only one entry. A page that is due too soon after its last visit left
    /// the schedule when it was queued, and returns to it.
    fn disposition_if_visited(&self, queued: &QueuedUrl, page: Option<&StoredPage>) -> Option<Disposition> {
        let page = page.filter(|_| queued.attempts == 0)?;
        let (rules, now) = (&self.crawler.recrawl, unix_now());
        let earliest = page.visited + rules.min.as_secs();
        // A visit in the future was made while the clock ran ahead. Its age is unknown.
        let too_soon = earliest > now && page.visited <= now.saturating_add(CLOCK_ERROR);
        match queued.priority {
            Priority::Again(_) => too_soon.then(|| {
                let planned = rules.next_visit(page, now);
                Disposition::Postponed(earliest.max(planned))
            }),
            priority => (priority.is_new_page() && page.next_visit != 0).then_some(Disposition::Withdrawn),
        }
    }

    /// Postpones an unfetched URL by the longest interval, after which any page is visited again.
    fn postpone(&mut self, queue: QueueName, queued: QueuedUrl, now: Instant) -> Result<(), CrawlError> {
        let next = unix_now() + self.crawler.recrawl.max.as_secs();
        self.complete_unfetched(queue, queued, now, Disposition::Postponed(next))
    }

    /// Completes a URL without a request.
    fn complete_unfetched(
        &mut self,
        queue: QueueName,
        queued: QueuedUrl,
        now: Instant,
        disposition: Disposition,
    ) -> Result<(), CrawlError> {
        self.writer.outstanding += 1;
        self.frontier.finish_fetch(&queue, now, None, Backoff::None);
        let (record, chain_records, discovered, failure) = (None, Vec::new(), Vec::new(), None);
        let completion = Completion { queued, record, chain_records, discovered, failure, disposition };
        self.writer.send(WriteRequest::Completed(Box::new(completion), None))
    }

    fn start_fetch(
        &mut self,
        queue: QueueName,
        queued: QueuedUrl,
        permit: Allowed,
        conditional: Option<Validators>,
        chain: Option<RedirectChain>,
    ) -> Result<(), CrawlError> {
        let ip = self.frontier.address(&queue).ok_or(CrawlError::Broken)?;
        let (fetcher, processor) = (Arc::clone(&self.crawler.fetcher), self.processor());
        let crawl_delay = permit.crawl_delay();
        let max_bytes = self.crawler.config.sitemaps.max_bytes;
        let task = async move {
            let requested_at = unix_now();
            let requested = permit.url().clone();
            let cookies = chain.as_ref().map(|chain| &chain.cookies);
            let fetched = match &queued.target {
                Target::Page => fetcher.fetch(permit, ip, conditional.as_ref(), cookies).await,
                Target::Sitemap(_) => fetcher.fetch_file(permit, ip, cookies, max_bytes).await,
            };
            let outcome = match fetched {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let _ = processor.events.send(LoopEvent::NotRequested {
                        queue,
                        queued,
                        at: Instant::now(),
                        failure,
                    });
                    return;
                }
            };
            let waited = match &outcome {
                FetchOutcome::Answered(answer) => answer.waited,
                FetchOutcome::Failed(..) => Duration::ZERO,
            };
            let result = match &outcome {
                // A server that is too slow fails, although the part of the page that came is kept.
                FetchOutcome::Answered(answer) if answer.cut == Some(Cut::Time) => {
                    HostResult::Failed { kind: FailureKind::Timeout, crawl_delay }
                }
                FetchOutcome::Answered(answer) => HostResult::Answered {
                    status: answer.status,
                    retry_after: answer.retry_after,
                    crawl_delay,
                },
                FetchOutcome::Failed(kind, _) => HostResult::Failed { kind: *kind, crawl_delay },
            };
            // The host's delay starts now, not when the page is parsed.
            let (at, page) = (Instant::now(), queued.clone());
            let _ = processor.events.send(LoopEvent::PageFetched { queue, queued: page, at, waited, result });
            let (url, queued) = (requested, Some(queued));
            let fetched =
                FetchedResponse { url, chain, requested_at, validators: conditional, outcome, queued };
            processor.spawn(fetched);
        };
        self.tasks.spawn_on(task, self.runtime);
        Ok(())
    }

    pub fn processor(&self) -> ResponseProcessor {
        ResponseProcessor {
            extractor: Arc::clone(&self.extractor),
            archive: self.archive.clone(),
            parsers: Arc::clone(&self.crawler.parsers),
            events: self.events.clone(),
            work: self.writer.sender(),
        }
    }
}

/// The validators of a conditional request. A 304 can only renew a page whose last answer was a 200. A
/// truncated page is requested in full.
fn validators(page: StoredPage) -> Option<Validators> {
    let is_whole = !matches!(page.facts.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding));
    let usable = is_whole
        && page.facts.status == 200
        && !(page.facts.etag.is_empty() && page.facts.last_modified.is_empty());
    usable.then_some(Validators { etag: page.facts.etag, last_modified: page.facts.last_modified })
}
