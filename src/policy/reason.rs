//! The reasons why a URL is not fetched. Each is one sentence for people.

use std::fmt;
use std::sync::Arc;

use indicatif::HumanCount;
use serde::{Serialize, Serializer};

use super::{BlockedName, LowDisk, Trap};
use crate::clock::format_unix_time;

/// Why a URL is not fetched now. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No page, sitemap or seed ever named the URL.
    Undiscovered,
    /// The crawl stays on the domains of the seeds, and this one is none of them.
    OffSeedDomains {
        domain: String,
    },
    /// A block list names its host.
    Blocked(BlockedName),
    Trap(Trap),
    /// It is more links away from a seed than the limit.
    TooDeep {
        depth: u16,
    },
    Robots(RobotsRefusal),
    /// Its host is in backoff.
    Backoff {
        until: u64,
    },
    /// The last failed request of a host in backoff.
    HostFailure {
        at: u64,
        url: String,
        kind: String,
        cause: String,
    },
    /// Its host has used its budget of new pages.
    HostBudget {
        limit: u64,
    },
    /// Its registrable domain has used its budget of new pages.
    DomainBudget {
        domain: Arc<str>,
        limit: u64,
    },
    /// It is a known page, and its next visit is due later.
    NotDue {
        at: u64,
    },
    /// It was discovered, but left the queue without a visit, or never entered it.
    NotQueued,
    /// A disk of the crawl is nearly full.
    LowDisk(LowDisk),
}

/// How robots.txt disallows a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RobotsRefusal {
    /// The number of the deciding line, from 1.
    Line(u32),
    /// What the decision is based on, if no line decides.
    Basis(&'static str),
    /// Requests for the file fail.
    Failing { since: u64, kind: String, cause: String, retry_at: u64 },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undiscovered => {
                f.write_str("It was not discovered yet: no page, sitemap or seed names it.")
            }
            Self::OffSeedDomains { domain } => write!(
                f,
                "crawl.stay_on_seed_domains is on, and {domain} is no domain of a seed: links to it are not followed."
            ),
            Self::Blocked(name) => {
                write!(f, "crawl.block_list or blocks.txt names its host: the entry is {name}.")
            }
            Self::Trap(trap) => write!(f, "It looks like a part of a trap: {trap}."),
            Self::TooDeep { depth } => {
                write!(f, "It is {depth} links away from a seed, more than crawl.max_depth.")
            }
            Self::Robots(refusal) => refusal.fmt(f),
            Self::Backoff { until } => write!(
                f,
                "Its host is left alone until {}, because it did not answer, answered with errors or asked for a pause.",
                format_unix_time(*until)
            ),
            Self::HostFailure { at, url, kind, cause } => {
                write!(f, "The last failure there, at {}: {url}: {kind}: {cause}.", format_unix_time(*at))
            }
            Self::HostBudget { limit } => write!(f, "Its host has used its budget of {limit} new pages."),
            Self::DomainBudget { domain, limit } => {
                write!(f, "{domain} has used its budget of {limit} new pages.")
            }
            Self::NotDue { at } => write!(f, "Its next visit is due at {}.", format_unix_time(*at)),
            Self::NotQueued => f.write_str(NOT_QUEUED),
            Self::LowDisk(LowDisk { directory, free }) => write!(
                f,
                "No page is fetched now: {} bytes are free on the disk of {}, fewer than crawl.min_free_disk_bytes.",
                HumanCount(*free),
                directory.display()
            ),
        }
    }
}

const NOT_QUEUED: &str =
    "It was discovered, but is neither queued nor visited: it was too deep, deferred or given up.";

impl fmt::Display for RobotsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "Line {line} of robots.txt disallows it."),
            Self::Basis(basis) => write!(f, "robots.txt: the decision is based on {basis}."),
            Self::Failing { since, kind, cause, retry_at } => write!(
                f,
                "robots.txt has been unavailable since {}: {kind}: {cause}. The next attempt is at {}.",
                format_unix_time(*since),
                format_unix_time(*retry_at)
            ),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
