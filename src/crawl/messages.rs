//! The messages between the threads of a crawl.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::walls::redirect_chain::RedirectChain;
use crate::fetch::{Failure, FetchOutcome, Reservation, RobotsOutcome, RobotsRequest, Validators};
use crate::model::{
    Arrival, DiscoveredUrl, Disposition, FailureKind, HostFailure, Link, QueueEntry, QueueName, Visit,
    VisitRecord,
};
use crate::store::StoreError;
use crate::urls::CanonicalUrl;
use crate::warc::WarcError;

/// What the loop handles.
pub(super) enum LoopEvent {
    Resolved {
        queue: QueueName,
        /// A URL of the queue.
        url: CanonicalUrl,
        ended_at: Instant,
        address: Result<IpAddr, Failure>,
    },
    RobotsFetched(RobotsResult),
    UrlFetched {
        queue: QueueName,
        entry: QueueEntry,
        /// When the fetch ended. The delay of the host starts here.
        ended_at: Instant,
        /// How long this machine, not the host, delayed the fetch.
        waited: Duration,
        result: HostResult,
    },
    /// The page was not requested, because of DNS or of this machine, or because its address is refused.
    NotRequested {
        queue: QueueName,
        entry: QueueEntry,
        /// When the fetch ended. The delay of the host starts here.
        ended_at: Instant,
        failure: Failure,
    },
    /// A redirect chain continues within the visit of the page.
    ChainContinued(QueueEntry, RedirectChain),
    Committed(CommitReport),
    ArchiveFailed(Box<FetchedResponse>, WarcError),
}

/// The result of a request.
pub(super) struct FetchedResponse {
    pub requested: CanonicalUrl,
    /// The redirect chain that led to the requested URL.
    pub chain: Option<RedirectChain>,
    /// When the request was made, in Unix time.
    pub requested_at: u64,
    /// The validators of a conditional request.
    pub validators: Option<Validators>,
    pub outcome: FetchOutcome,
    /// `None` for a robots.txt, which the robots.txt cache reads.
    pub entry: Option<QueueEntry>,
}

/// The result of a request for a robots.txt.
pub(super) struct RobotsResult {
    /// The queue that made the request.
    pub queue: QueueName,
    pub requested: CanonicalUrl,
    pub waiter: RobotsWaiter,
    /// When the fetch ended. The delay of the host starts here.
    pub ended_at: Instant,
    /// How long this machine, not the host, delayed the fetch.
    pub waited: Duration,
    pub outcome: RobotsOutcome,
}

/// A robots.txt to fetch, and the queue that waits for it.
#[derive(Debug)]
pub(super) struct QueuedRobotsRequest {
    pub request: RobotsRequest,
    pub waiter: RobotsWaiter,
}

/// The queue that waits for a robots.txt.
#[derive(Clone, Debug)]
pub(super) struct RobotsWaiter {
    pub queue: QueueName,
    /// A URL of the queue.
    pub url: CanonicalUrl,
}

/// What the fetch of a page or a sitemap says about its host.
#[derive(Clone, Debug)]
pub(super) enum HostResult {
    Responded { status: u16, retry_after: Option<Duration>, crawl_delay: Option<Duration> },
    Failed { kind: FailureKind, crawl_delay: Option<Duration> },
}

/// What the writer does.
pub(super) enum WriteRequest {
    /// Store a completed URL. Its reservation of memory is released after the commit.
    Completed(Box<Completion>, Option<Reservation>),
    AddDiscovered(Vec<DiscoveredUrl>),
    /// Store that a host is in backoff until this Unix time.
    BackOffHost(QueueName, u64),
    /// Store the failure of a request that was for neither a page nor a sitemap.
    RecordFailure(QueueName, HostFailure),
    /// Queue pages that are due at this Unix time, up to this number.
    QueueDue(u64, usize),
    /// Merge the discovered URLs into the seen set.
    MergeDiscovered,
}

impl WriteRequest {
    /// As [`Completion::bytes`]; all other requests are small.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Completed(completion, _) => completion.bytes(),
            _ => 0,
        }
    }
}

/// A URL whose visit is completed, for now or for good.
pub(super) struct Completion {
    pub entry: QueueEntry,
    /// `None` when it is no page, or was not requested.
    pub record: Option<VisitRecord>,
    /// The records of the other URLs of its redirect chain.
    pub chain_records: Vec<VisitRecord>,
    pub discovered: Vec<DiscoveredUrl>,
    /// The failed request, for the record of its host.
    pub failure: Option<HostFailure>,
    pub disposition: Disposition,
}

impl Completion {
    /// Bytes of its links and URLs: most of the memory of a large completion.
    pub(super) fn bytes(&self) -> usize {
        let records = self.record.iter().chain(&self.chain_records);
        let links = records.flat_map(|record| match &record.visit {
            Visit::Responded(content) => &content.links[..],
            _ => &[],
        });
        let links = links.map(|link| size_of::<Link>() + link.target.as_str().len() + link.anchor.len());
        let found = self.discovered.iter().map(|found| size_of::<DiscoveredUrl>() + found.url.as_str().len());
        links.chain(found).sum()
    }
}

/// What the writer has done.
#[derive(Default)]
pub(super) struct CommitReport {
    /// The URLs whose dispositions are stored.
    pub completed: Vec<(QueueEntry, Disposition)>,
    /// The queues that received URLs.
    pub arrivals: Vec<Arrival>,
    /// Whether the discovered URLs were merged into the seen set.
    pub merged: bool,
    /// The larger of two counts: pages that fell due, and pages scheduled too far off. `None` when the writer
    /// was not asked.
    pub due: Option<usize>,
    /// The part that the store could not commit.
    pub failed: Option<FailedCommit>,
}

/// A commit that the store refused. Its URLs are still queued.
pub(super) struct FailedCommit {
    pub entries: Vec<QueueEntry>,
    pub error: StoreError,
}
