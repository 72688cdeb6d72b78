//! What the threads of a crawl tell each other.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::fetch::RobotsStep;
use crate::frontier::{Fate, Found, QueueName, QueuedUrl};
use crate::model::{FailureKind, PageRecord};
use crate::store::StoreError;

/// What the loop is told.
pub(super) enum Event {
    Resolved { queue: QueueName, at: Instant, found: Result<IpAddr, String> },
    Robots { turn: QueueName, waiting: QueueName, at: Instant, step: RobotsStep },
    Page { queue: QueueName, queued: QueuedUrl, at: Instant, ended: Ended },
    Stored(Stored),
    Broken(StoreError),
}

/// How a page's fetch ended, as far as its host is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ended {
    Answered { status: u16, retry_after: Option<Duration>, crawl_delay: Option<Duration> },
    Failed { kind: FailureKind, crawl_delay: Option<Duration> },
}

/// One URL that is done with, for now or for good.
pub(super) struct Outcome {
    pub queued: QueuedUrl,
    /// `None` when it was never asked for: robots.txt says no.
    pub record: Option<PageRecord>,
    pub found: Vec<Found>,
    pub fate: Fate,
}

/// What a commit did.
pub(super) struct Stored {
    /// The URLs whose outcome is stored.
    pub ended: Vec<(QueuedUrl, Fate)>,
    /// URLs that are new to the queue.
    pub queued: Vec<QueuedUrl>,
}
