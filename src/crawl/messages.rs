//! What the threads of a crawl tell each other.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::chain::Chain;
use super::desk::Fetched;
use crate::fetch::{Failure, RobotsStep, Room};
use crate::frontier::{Arrival, Fate, Found, QueueName, QueuedUrl};
use crate::model::{FailureKind, HostFailure, Link, PageRecord, Visit};
use crate::store::StoreError;
use crate::urls::CanonicalUrl;
use crate::warc::WarcError;

/// What the loop is told; unkept is an answer that could not be kept, and so was not read.
pub(super) enum Event {
    Resolved {
        queue: QueueName,
        /// A URL of the queue.
        url: CanonicalUrl,
        at: Instant,
        found: Result<IpAddr, Failure>,
    },
    Robots {
        turn: QueueName,
        asked: CanonicalUrl,
        waiting: Waiting,
        at: Instant,
        /// How much of the time it waited for this machine.
        waited: Duration,
        step: RobotsStep,
    },
    Page {
        queue: QueueName,
        queued: QueuedUrl,
        at: Instant,
        waited: Duration,
        ended: Ended,
    },
    /// Nobody was asked for a page, and not for want of an answer of its host.
    Unasked {
        queue: QueueName,
        queued: QueuedUrl,
        at: Instant,
        failure: Failure,
    },
    /// A redirect is to be followed within the visit of the page.
    Redirected(QueuedUrl, Chain),
    Stored(Stored),
    Unkept(Box<Fetched>, WarcError),
}

/// Who waits for a robots.txt.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub queue: QueueName,
    /// A URL of the queue.
    pub url: CanonicalUrl,
}

/// How a page's fetch ended, as far as its host is concerned.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Answered { status: u16, retry_after: Option<Duration>, crawl_delay: Option<Duration> },
    Failed { kind: FailureKind, crawl_delay: Option<Duration> },
}

/// What the writer is asked to do.
pub(super) enum Work {
    /// And its room, which it gives back when it is stored.
    Outcome(Box<Outcome>, Option<Room>),
    Found(Vec<Found>),
    /// A host is left alone until this Unix time.
    Asleep(QueueName, u64),
    /// A request for something else than a page or a sitemap failed.
    Failed(QueueName, HostFailure),
    /// Queue pages whose next visit is due at this Unix time, so many at most.
    Due(u64, usize),
    /// Hold the URLs met against all known ones.
    Merge,
}

impl Work {
    /// As [`Outcome::bytes`]; all else is small.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Outcome(outcome, _) => outcome.bytes(),
            _ => 0,
        }
    }
}

/// One URL that is done with, for now or for good.
pub(super) struct Outcome {
    pub queued: QueuedUrl,
    /// `None` when it is no page, or was never asked for.
    pub record: Option<PageRecord>,
    /// Of the other URLs of its chain of redirects.
    pub others: Vec<PageRecord>,
    pub found: Vec<Found>,
    /// What its host remembers of it, if the request failed.
    pub failure: Option<HostFailure>,
    pub end: End,
}

impl Outcome {
    /// Bytes of the links and URLs that it brings, most of what it takes in memory where it takes much.
    pub fn bytes(&self) -> usize {
        let records = self.record.iter().chain(&self.others);
        let links = records.flat_map(|record| match &record.visit {
            Visit::Answered(content) => &content.links[..],
            _ => &[],
        });
        let links = links.map(|link| size_of::<Link>() + link.target.as_str().len() + link.anchor.len());
        let found = self.found.iter().map(|found| size_of::<Found>() + found.url.as_str().len());
        links.chain(found).sum()
    }
}

/// Where a URL goes from the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Fetched,
    /// It stays for another attempt.
    Again,
    /// It was not fetched, and is looked at again at this Unix time.
    PutOff(u64),
    /// It was fetched before.
    Withdrawn,
}

impl End {
    pub fn fate(self) -> Fate {
        match self {
            Self::Fetched => Fate::Fetched,
            Self::Again => Fate::Again,
            Self::PutOff(_) | Self::Withdrawn => Fate::Dropped,
        }
    }
}

/// What the writer did.
#[derive(Default)]
pub(super) struct Stored {
    /// The URLs whose outcome is stored.
    pub ended: Vec<(QueuedUrl, Fate)>,
    /// The queues that URLs came into.
    pub arrivals: Vec<Arrival>,
    /// Whether the URLs met were held against all known ones.
    pub merged: bool,
    /// How many pages had fallen due, or were scheduled too far off, whichever are more, if that was asked for.
    pub due: Option<usize>,
    /// What was not stored.
    pub unstored: Option<Unstored>,
}

/// What the store could not take. Its URLs are in the queue still.
pub(super) struct Unstored {
    pub queued: Vec<QueuedUrl>,
    pub error: StoreError,
}
