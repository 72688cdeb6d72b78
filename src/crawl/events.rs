//! Handles the ends of resolutions and fetches: the delays and backoffs of hosts and addresses.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::CrawlError;
use super::dispatch::RobotsRequest;
use super::event_loop::CrawlLoop;
use super::failures::{Cause, Resource};
use super::messages::{HostResult, RobotsWaiter, WriteRequest};
use super::progress::unix_now;
use super::timing::RESOURCE_PAUSE;
use crate::fetch::{Failure, FailureSource, RobotsStep};
use crate::frontier::Backoff;
use crate::model::{Day, FailureKind, Found, QueueName, QueuedUrl, Target};
use crate::urls::CanonicalUrl;

/// Why a robots.txt is not requested at a parked host.
const HOST_BACKED_OFF: &str = "its host is left alone for now";

impl CrawlLoop<'_> {
    pub fn on_resolved(
        &mut self,
        queue: &QueueName,
        url: &CanonicalUrl,
        at: Instant,
        address: Result<IpAddr, Failure>,
    ) -> Result<(), CrawlError> {
        let address = match address {
            Ok(ip) => {
                if let Some(backoff) = self.host_backoffs.get_mut(queue) {
                    backoff.reset_unresolved();
                }
                Ok(ip)
            }
            Err(failure) => {
                let backoff = self.backoff_after_no_request(queue, at, &failure)?;
                if failure.blame == FailureSource::Machine {
                    self.frontier.finish_resolution(queue, at, Err(backoff));
                    return Ok(());
                }
                let attempt =
                    self.host_backoffs.get(queue).map_or(1, |backoff| backoff.times_unresolved().max(1));
                self.report_failure(queue, Resource::Address, url, attempt, Cause::from(&failure))?;
                Err(backoff)
            }
        };
        self.frontier.finish_resolution(queue, at, address);
        Ok(())
    }

    /// Takes back a page that was dispatched but not requested.
    pub fn on_not_requested(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        at: Instant,
        failure: &Failure,
    ) -> Result<(), CrawlError> {
        self.writer.outstanding -= 1;
        self.pages_dispatched -= u64::from(queued.target == Target::Page);
        if failure.blame != FailureSource::Machine {
            self.report_failure(
                queue,
                Resource::of(&queued.target),
                &queued.url,
                queued.attempts + 1,
                Cause::from(failure),
            )?;
        }
        self.frontier.requeue(queue, queued);
        let backoff = self.backoff_after_no_request(queue, at, failure)?;
        self.frontier.finish_fetch(queue, at, None, backoff);
        Ok(())
    }

    /// The backoff of a queue whose host received no request.
    fn backoff_after_no_request(
        &mut self,
        queue: &QueueName,
        at: Instant,
        failure: &Failure,
    ) -> Result<Backoff, CrawlError> {
        match failure.blame {
            FailureSource::Machine => {
                self.resource_backoff.report_shortage(at, &failure.detail);
                Ok(Backoff::For(RESOURCE_PAUSE))
            }
            FailureSource::NameServers => {
                let config = &self.crawler.config.crawl;
                let length = match self.host_backoffs.entry(queue.clone()).or_default().on_unresolved(config)
                {
                    // A batch does not wait for it, and the next one asks at once.
                    Backoff::Parked(_) if !self.job.forever => config.dead_host_retry.0,
                    Backoff::Parked(length) => length,
                    backoff => return Ok(backoff),
                };
                self.fail_robots_requests(queue, failure.kind, &failure.detail)?;
                Ok(Backoff::Parked(length))
            }
            FailureSource::Host => {
                let dormant = self.crawler.config.crawl.dead_host_retry.0;
                self.fail_robots_requests(queue, failure.kind, &failure.detail)?;
                self.record_backoff(queue, dormant)?;
                Ok(Backoff::Parked(dormant))
            }
        }
    }

    /// Fails the robots.txt requests of a queue that makes no request for a while.
    fn fail_robots_requests(
        &mut self,
        queue: &QueueName,
        kind: FailureKind,
        why: &str,
    ) -> Result<(), CrawlError> {
        let requests = self.frontier.take_robots_requests(queue);
        requests.into_iter().try_for_each(|request| self.fail_robots_request(request, kind, why))
    }

    /// Stores the backoff of a host, so that the next crawl keeps it.
    pub fn record_backoff(&self, queue: &QueueName, length: Duration) -> Result<(), CrawlError> {
        let until = unix_now() + length.as_secs();
        self.writer.send(WriteRequest::BackOffHost(queue.clone(), until))
    }

    pub fn on_robots_fetched(
        &mut self,
        fetched_by: &QueueName,
        requested: &CanonicalUrl,
        waiter: RobotsWaiter,
        at: Instant,
        step: RobotsStep,
    ) -> Result<(), CrawlError> {
        let next = match step {
            RobotsStep::Known => None,
            RobotsStep::Failed(failure) => {
                self.report_robots_failure(&waiter.queue, requested, &failure)?;
                None
            }
            RobotsStep::Moved(job) => Some(job),
            RobotsStep::Unasked(job, failure) => {
                if failure.blame != FailureSource::Machine {
                    self.report_failure(
                        &waiter.queue,
                        Resource::RobotsTxt,
                        requested,
                        1,
                        Cause::from(&failure),
                    )?;
                }
                self.frontier.queue_robots_request(
                    requested,
                    RobotsRequest { job, waiter },
                    &self.backlog,
                )?;
                let backoff = self.backoff_after_no_request(fetched_by, at, &failure)?;
                self.frontier.finish_fetch(fetched_by, at, None, backoff);
                return Ok(());
            }
        };
        let target = next.as_ref().map(|job| QueueName::of(job.url()));
        let elsewhere = target.is_some_and(|target| target != waiter.queue);
        let backoff = match elsewhere && *fetched_by == waiter.queue {
            true => Backoff::AwaitRobots,
            false => self.backoff_if_moved(fetched_by, requested),
        };
        // A new crawl delay holds at once. The server may have declared it for another of its hosts.
        let robots = &self.crawler.robots;
        let crawl_delay = robots.crawl_delay(requested).max(robots.crawl_delay(&waiter.url));
        self.frontier.finish_fetch(fetched_by, at, Some(self.request_delay(crawl_delay)), backoff);
        let Some(job) = next else {
            self.frontier.resume(&waiter.queue);
            return self.queue_sitemaps(&waiter.url);
        };
        let (url, queue) = (job.url().clone(), waiter.queue.clone());
        let request = RobotsRequest { job, waiter };
        if self.crawler.blocks().blocks(url.host()) {
            self.fail_robots_request(
                request,
                FailureKind::AddressRefused,
                "its host is on crawl.block_list or in blocks.txt",
            )?;
        } else if let Some(request) = self.frontier.queue_robots_request(&url, request, &self.backlog)? {
            self.fail_robots_request(request, FailureKind::Connect, HOST_BACKED_OFF)?;
        } else if !elsewhere {
            self.frontier.resume(&queue);
        }
        Ok(())
    }

    /// Ends the wait for a robots.txt that is not requested. The robots.txt is unreachable then. So the
    /// stored copy holds, or all is disallowed (RFC 9309, 2.3.1.4).
    fn fail_robots_request(
        &mut self,
        RobotsRequest { job, waiter }: RobotsRequest,
        kind: FailureKind,
        why: &str,
    ) -> Result<(), CrawlError> {
        let url = job.url().clone();
        let failure = self.crawler.robots.failed(job, kind, why);
        self.report_robots_failure(&waiter.queue, &url, &failure)?;
        self.frontier.resume(&waiter.queue);
        Ok(())
    }

    /// Queues the sitemaps that a robots.txt declares, after each fetch of it. So they are read as often as
    /// it is.
    fn queue_sitemaps(&self, url: &CanonicalUrl) -> Result<(), CrawlError> {
        if !self.crawler.config.sitemaps.follow {
            return Ok(());
        }
        let today = Day::from_unix_seconds(unix_now());
        let sitemaps = self.crawler.robots.sitemaps(url, self.crawler.config.sitemaps.max_per_host);
        self.extractor.sitemap_quotas.renew(url, !sitemaps.is_empty());
        let found: Vec<Found> = sitemaps
            .into_iter()
            .filter_map(|named| self.extractor.named_sitemap(named, url, today))
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        self.writer.send(WriteRequest::AddDiscovered(found))
    }

    /// Ends the fetch of a page, with the delay of its address and the backoff of its host.
    pub fn on_page_fetched(
        &mut self,
        queue: &QueueName,
        queued: &QueuedUrl,
        at: Instant,
        result: HostResult,
    ) -> Result<(), CrawlError> {
        let (crawl_delay, backoff) = match result {
            HostResult::Answered { status, retry_after, crawl_delay } => {
                (crawl_delay, self.backoff_after_response(queue, status, retry_after))
            }
            HostResult::Failed { kind, crawl_delay } => {
                (crawl_delay, self.backoff_after_failure(queue, kind))
            }
        };
        if let Backoff::Parked(length) = backoff {
            self.record_backoff(queue, length)?;
            self.fail_robots_requests(queue, FailureKind::Connect, HOST_BACKED_OFF)?;
        }
        let backoff =
            if backoff == Backoff::None { self.backoff_if_moved(queue, &queued.url) } else { backoff };
        self.frontier.finish_fetch(queue, at, Some(self.request_delay(crawl_delay)), backoff);
        Ok(())
    }

    /// No backoff. But a host whose address has expired is resolved before its next fetch.
    fn backoff_if_moved(&self, queue: &QueueName, url: &CanonicalUrl) -> Backoff {
        let addresses = self.crawler.fetcher.addresses();
        match self.frontier.address(queue).is_some_and(|ip| addresses.holds(url, ip)) {
            true => Backoff::None,
            false => Backoff::For(Duration::ZERO),
        }
    }

    /// The delay between two requests to a host with this crawl delay.
    fn request_delay(&self, crawl_delay: Option<Duration>) -> Duration {
        let config = &self.crawler.config.crawl;
        crawl_delay.unwrap_or_default().min(config.max_crawl_delay.0).max(config.delay.0)
    }

    fn backoff_after_response(
        &mut self,
        queue: &QueueName,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Backoff {
        let mut host = self.host_backoffs.remove(queue).unwrap_or_default();
        let backoff = host.on_response(status, retry_after, &self.crawler.config);
        if !host.is_clear() {
            self.host_backoffs.insert(queue.clone(), host);
        }
        backoff
    }

    fn backoff_after_failure(&mut self, queue: &QueueName, kind: FailureKind) -> Backoff {
        let config = &self.crawler.config.crawl;
        match kind {
            // The page is at fault, not the host.
            FailureKind::Protocol | FailureKind::Decode | FailureKind::Challenge => Backoff::None,
            FailureKind::Dns | FailureKind::AddressRefused => Backoff::Parked(config.dead_host_retry.0),
            FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => {
                self.host_backoffs.entry(queue.clone()).or_default().on_no_response(config)
            }
        }
    }
}
