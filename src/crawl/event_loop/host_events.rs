//! Handles the ends of resolutions and fetches: the delays and backoffs of hosts and addresses.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::unix_now;
use crate::crawl::CrawlError;
use crate::crawl::adapters::backlog::StoreBacklog;
use crate::crawl::backoff::host::HostBackoffs;
use crate::crawl::backoff::resources::ResourceBackoff;
use crate::crawl::failures::{Cause, FailedRequest, Resource};
use crate::crawl::messages::{HostResult, QueuedRobotsRequest, RobotsResult, RobotsWaiter, WriteRequest};
use crate::crawl::progress::Progress;
use crate::crawl::timing::RESOURCE_PAUSE;
use crate::crawl::writer::link::WriterSender;
use crate::fetch::{Blame, Failure, Fetcher, RobotsCache, RobotsOutcome, RobotsRequest};
use crate::frontier::{Backoff, Frontier};
use crate::model::{FailureKind, QueueEntry, QueueName};
use crate::policy::BlockList;
use crate::urls::CanonicalUrl;

/// Why a robots.txt is not requested at a parked host.
const HOST_BACKED_OFF: &str = "its host is left alone for now";

/// The queues that the handler updates.
type Queues = Frontier<QueuedRobotsRequest>;

/// Tells the frontier how each resolution and fetch ended, and reports the failed ones.
pub(in crate::crawl) struct HostEventHandler {
    fetcher: Arc<Fetcher>,
    robots: Arc<RobotsCache>,
    writer: WriterSender,
    progress: Arc<Progress>,
    host_backoffs: HostBackoffs,
    resource_backoff: ResourceBackoff,
    blocks: BlockList,
}

impl HostEventHandler {
    pub(crate) fn new(
        fetcher: &Arc<Fetcher>,
        robots: &Arc<RobotsCache>,
        writer: WriterSender,
        progress: &Arc<Progress>,
        host_backoffs: HostBackoffs,
        blocks: BlockList,
    ) -> Self {
        Self {
            fetcher: Arc::clone(fetcher),
            robots: Arc::clone(robots),
            writer,
            progress: Arc::clone(progress),
            host_backoffs,
            resource_backoff: ResourceBackoff::default(),
            blocks,
        }
    }

    pub(crate) fn set_blocks(&mut self, blocks: BlockList) {
        self.blocks = blocks;
    }

    /// Whether no work may start, because this machine has no resources for it.
    pub(crate) fn is_short_of_resources(&self) -> bool {
        self.resource_backoff.is_active()
    }

    /// Forgets the failures of hosts whose queues left memory.
    pub(crate) fn prune(&mut self, frontier: &Queues) {
        self.host_backoffs.retain(|queue| frontier.contains(queue));
    }

    pub(crate) fn on_resolved(
        &mut self,
        frontier: &mut Queues,
        queue: &QueueName,
        url: &CanonicalUrl,
        ended_at: Instant,
        address: Result<IpAddr, Failure>,
    ) -> Result<(), CrawlError> {
        let address = match address {
            Ok(ip) => {
                self.host_backoffs.on_resolved(queue);
                Ok(ip)
            }
            Err(failure) => {
                let backoff = self.backoff_after_no_request(frontier, queue, ended_at, &failure)?;
                if failure.blame != Blame::Machine {
                    let attempt = self.host_backoffs.failed_resolutions(queue);
                    let (resource, cause) = (Resource::Address, Cause::from(&failure));
                    self.report(queue, FailedRequest { resource, url, attempt, cause })?;
                }
                Err(backoff)
            }
        };
        frontier.finish_resolution(queue, ended_at, address);
        Ok(())
    }

    /// Takes back a page that was dispatched but not requested.
    pub(crate) fn on_not_requested(
        &mut self,
        frontier: &mut Queues,
        queue: &QueueName,
        entry: QueueEntry,
        ended_at: Instant,
        failure: &Failure,
    ) -> Result<(), CrawlError> {
        if failure.blame != Blame::Machine {
            let (resource, cause) = (Resource::of(&entry.target), Cause::from(failure));
            let (url, attempt) = (&entry.url, entry.attempts + 1);
            self.report(queue, FailedRequest { resource, url, attempt, cause })?;
        }
        frontier.requeue(queue, entry);
        let backoff = self.backoff_after_no_request(frontier, queue, ended_at, failure)?;
        frontier.finish_fetch(queue, ended_at, None, backoff);
        Ok(())
    }

    /// The backoff of a queue whose host received no request.
    fn backoff_after_no_request(
        &mut self,
        frontier: &mut Queues,
        queue: &QueueName,
        ended_at: Instant,
        failure: &Failure,
    ) -> Result<Backoff, CrawlError> {
        match failure.blame {
            Blame::Machine => {
                self.resource_backoff.report_shortage(ended_at, &failure.detail);
                Ok(Backoff::For(RESOURCE_PAUSE))
            }
            Blame::NameServers => {
                let backoff = self.host_backoffs.on_unresolved(queue);
                if matches!(backoff, Backoff::Parked(_)) {
                    self.fail_robots_requests(frontier, queue, failure.kind, &failure.detail)?;
                }
                Ok(backoff)
            }
            Blame::Host => {
                let length = self.host_backoffs.dead_host_backoff();
                self.fail_robots_requests(frontier, queue, failure.kind, &failure.detail)?;
                self.record_backoff(queue, length)?;
                Ok(Backoff::Parked(length))
            }
        }
    }

    /// Fails the robots.txt requests of a queue that makes no request for a while.
    fn fail_robots_requests(
        &self,
        frontier: &mut Queues,
        queue: &QueueName,
        kind: FailureKind,
        why: &str,
    ) -> Result<(), CrawlError> {
        let requests = frontier.take_robots_requests(queue);
        requests.into_iter().try_for_each(|request| self.fail_robots_request(frontier, request, kind, why))
    }

    /// Stores the backoff of a host, so that the next crawl keeps it.
    fn record_backoff(&self, queue: &QueueName, length: Duration) -> Result<(), CrawlError> {
        let until = unix_now() + length.as_secs();
        self.writer.send(WriteRequest::BackOffHost(queue.clone(), until))
    }

    /// Reports a failed request, to the record of the queue's host.
    fn report(&self, queue: &QueueName, failed: FailedRequest<'_>) -> Result<(), CrawlError> {
        let failed = failed.report(&self.progress.failed_requests);
        self.writer.send(WriteRequest::RecordFailure(queue.clone(), failed))
    }

    /// Parks the host of a page whose robots.txt is unreachable.
    pub(crate) fn park_without_robots(
        &self,
        frontier: &mut Queues,
        queue: &QueueName,
        entry: QueueEntry,
        ended_at: Instant,
        length: Duration,
    ) -> Result<(), CrawlError> {
        frontier.requeue(queue, entry);
        self.record_backoff(queue, length)?;
        frontier.finish_fetch(queue, ended_at, None, Backoff::Parked(length));
        Ok(())
    }

    /// Ends the fetch of a robots.txt. Returns a URL of the host whose robots.txt is known now; `None` when a
    /// request follows.
    pub(crate) fn on_robots_fetched(
        &mut self,
        frontier: &mut Queues,
        backlog: &StoreBacklog,
        fetched: RobotsResult,
    ) -> Result<Option<CanonicalUrl>, CrawlError> {
        let RobotsResult { queue: fetched_by, requested, waiter, ended_at, waited, outcome } = fetched;
        frontier.exclude_wait(&fetched_by, waited);
        let next = match outcome {
            RobotsOutcome::Known => None,
            RobotsOutcome::Failed(failure) => {
                self.report_robots(&waiter.queue, &requested, failure.attempts, Cause::from(&*failure))?;
                None
            }
            RobotsOutcome::Moved(request) => Some(request),
            RobotsOutcome::NotRequested(request, failure) => {
                if failure.blame != Blame::Machine {
                    self.report_robots(&waiter.queue, &requested, 1, Cause::from(&failure))?;
                }
                let queued_request = QueuedRobotsRequest { request, waiter };
                frontier.queue_robots_request(&requested, queued_request, backlog)?;
                let backoff = self.backoff_after_no_request(frontier, &fetched_by, ended_at, &failure)?;
                frontier.finish_fetch(&fetched_by, ended_at, None, backoff);
                return Ok(None);
            }
        };
        let is_elsewhere = next.as_ref().is_some_and(|request| QueueName::of(request.url()) != waiter.queue);
        let backoff = match is_elsewhere && fetched_by == waiter.queue {
            true => Backoff::AwaitMovedRobots,
            false => self.backoff_if_moved(frontier, &fetched_by, &requested),
        };
        let delay = self.delay_after_robots(&requested, &waiter);
        frontier.finish_fetch(&fetched_by, ended_at, Some(delay), backoff);
        let Some(request) = next else {
            frontier.end_robots_wait(&waiter.queue);
            return Ok(Some(waiter.url));
        };
        self.follow_robots(frontier, backlog, request, waiter, is_elsewhere)?;
        Ok(None)
    }

    fn report_robots(
        &self,
        queue: &QueueName,
        url: &CanonicalUrl,
        attempt: u32,
        cause: Cause,
    ) -> Result<(), CrawlError> {
        self.report(queue, FailedRequest { resource: Resource::RobotsTxt, url, attempt, cause })
    }

    /// The delay after the fetch of a robots.txt. A new crawl delay holds at once. The server may have declared
    /// it for another of its hosts.
    fn delay_after_robots(&self, requested: &CanonicalUrl, waiter: &RobotsWaiter) -> Duration {
        let crawl_delay = self.robots.crawl_delay(requested).max(self.robots.crawl_delay(&waiter.url));
        self.host_backoffs.request_delay(crawl_delay)
    }

    /// Queues the next request of a robots.txt that has moved, maybe to another host.
    fn follow_robots(
        &self,
        frontier: &mut Queues,
        backlog: &StoreBacklog,
        request: RobotsRequest,
        waiter: RobotsWaiter,
        is_elsewhere: bool,
    ) -> Result<(), CrawlError> {
        let (url, queue) = (request.url().clone(), waiter.queue.clone());
        let queued_request = QueuedRobotsRequest { request, waiter };
        if self.blocks.blocks(url.host()) {
            let why = "its host is on crawl.block_list or in blocks.txt";
            self.fail_robots_request(frontier, queued_request, FailureKind::AddressRefused, why)?;
        } else if let Some(refused) = frontier.queue_robots_request(&url, queued_request, backlog)? {
            self.fail_robots_request(frontier, refused, FailureKind::Connect, HOST_BACKED_OFF)?;
        } else if !is_elsewhere {
            frontier.end_robots_wait(&queue);
        }
        Ok(())
    }

    /// Ends the wait for a robots.txt that is not requested. The robots.txt is unreachable then. So the
    /// stored copy holds, or all is disallowed (RFC 9309, 2.3.1.4).
    fn fail_robots_request(
        &self,
        frontier: &mut Queues,
        QueuedRobotsRequest { request, waiter }: QueuedRobotsRequest,
        kind: FailureKind,
        why: &str,
    ) -> Result<(), CrawlError> {
        let url = request.url().clone();
        let failure = self.robots.record_not_requested(request, kind, why);
        let (resource, cause) = (Resource::RobotsTxt, Cause::from(&*failure));
        let attempt = failure.attempts;
        self.report(&waiter.queue, FailedRequest { resource, url: &url, attempt, cause })?;
        frontier.end_robots_wait(&waiter.queue);
        Ok(())
    }

    /// Ends the fetch of a page or a sitemap, with the delay of its address and the backoff of its host.
    pub(crate) fn on_url_fetched(
        &mut self,
        frontier: &mut Queues,
        queue: &QueueName,
        entry: &QueueEntry,
        ended_at: Instant,
        result: HostResult,
    ) -> Result<(), CrawlError> {
        let (crawl_delay, backoff) = match result {
            HostResult::Responded { status, retry_after, crawl_delay } => {
                (crawl_delay, self.host_backoffs.on_response(queue, status, retry_after))
            }
            HostResult::Failed { kind, crawl_delay } => {
                (crawl_delay, self.host_backoffs.on_failure(queue, kind))
            }
        };
        if let Backoff::Parked(length) = backoff {
            self.record_backoff(queue, length)?;
            self.fail_robots_requests(frontier, queue, FailureKind::Connect, HOST_BACKED_OFF)?;
        }
        let backoff = match backoff {
            Backoff::None => self.backoff_if_moved(frontier, queue, &entry.url),
            backoff => backoff,
        };
        frontier.finish_fetch(queue, ended_at, Some(self.host_backoffs.request_delay(crawl_delay)), backoff);
        Ok(())
    }

    /// No backoff. But a host whose address has expired is resolved before its next fetch.
    fn backoff_if_moved(&self, frontier: &Queues, queue: &QueueName, url: &CanonicalUrl) -> Backoff {
        let addresses = self.fetcher.addresses();
        match frontier.address(queue).is_some_and(|ip| addresses.holds(url, ip)) {
            true => Backoff::None,
            false => Backoff::Resolve,
        }
    }
}
