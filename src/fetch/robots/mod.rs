//! Permission to fetch: fetches, stores and evaluates robots.txt files (RFC 9309).
//!
//! The input is a URL; the output is a permit to fetch it, a refusal, or a request for the host's robots.txt. Only
//! this module can create a [`FetchPermit`], which [`super::Fetcher::fetch`] requires. So no page can be fetched
//! without a check of its robots.txt.
//!
//! The crawl alone decides when a host gets a request. A robots.txt is therefore fetched only on its behalf, one
//! request at a time:
//!
//! ```text
//!  check(url) ─► Allowed(permit) ─► fetcher.fetch(permit, …)
//!             ├► Disallowed { line }        drop the URL
//!             ├► Unavailable { retry_in }   put the host off
//!             └► NeedsFetch(request) ─► wait for the turn of request.url()'s host ─► fetch(request)
//!                    ▲                                                                 ├► Known, Failed: check again
//!                    └─────────────────────────── Moved(request) ◄─────────────────────┘  (a redirect, often elsewhere)
//! ```
//!
//! | response | effect (2.3.1) |
//! |---|---|
//! | 2xx | the rules in it |
//! | redirect | the robots.txt of the target, on any host; after `robots.max_redirects`, or without a usable target, as 4xx |
//! | other 3xx, 4xx | everything may be fetched |
//! | 5xx, no response, an undecodable response or one that is not text, a refused address, a request not made | an earlier copy while it is recent enough, else nothing may be fetched; fetched again after `robots.retry_after`, or when the server says; if the host does not respond, after as long as that has lasted |
//!
//! Rules apply to one scheme, host and port, for `robots.max_age`; [`validity`] covers files that are unavailable.
//! The cache is bounded by `robots.cache_bytes`. The least recently used entries are dropped, and loaded from the
//! [`RobotsStore`] or fetched again on demand.

mod cache;
mod stored;
mod validity;

use std::sync::Arc;
use std::time::Duration;

use super::cookies::CookieJar;
use super::failure::Failure;
use crate::urls::CanonicalUrl;

pub use cache::RobotsCache;
pub use stored::{RobotsFailure, RobotsStore, StoredRobots};
pub use validity::{RobotsBasis, RobotsStatus};

/// A permit for one fetch of one URL.
#[derive(Debug, PartialEq, Eq)]
pub struct FetchPermit {
    url: CanonicalUrl,
    crawl_delay: Option<Duration>,
}

impl FetchPermit {
    pub fn url(&self) -> &CanonicalUrl {
        &self.url
    }

    /// The pause between two fetches that the robots.txt asks for, without a bound.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// A pending request for a robots.txt, or for the target of its redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotsRequest {
    /// Scheme, host and port that the rules will apply to.
    origin: Arc<str>,
    url: CanonicalUrl,
    redirects: u32,
    /// The cookies set by the redirects so far.
    cookies: CookieJar,
}

impl RobotsRequest {
    /// The URL of the request. The fetch takes the turn of its host.
    pub fn url(&self) -> &CanonicalUrl {
        &self.url
    }
}

/// The verdict of a robots.txt for a URL.
#[derive(Debug, PartialEq, Eq)]
pub enum RobotsAnswer {
    Allowed(FetchPermit),
    /// `line` is the number of the deciding line, from 1.
    Disallowed {
        line: u32,
    },
    /// The file is unavailable, so nothing may be fetched from its host for now.
    Unavailable {
        retry_in: Duration,
    },
    /// The file is unknown, or too old.
    NeedsFetch(RobotsRequest),
}

/// The result of one request for a robots.txt.
#[derive(Debug, PartialEq, Eq)]
pub enum RobotsOutcome {
    /// [`RobotsCache::check`] can answer now.
    Known,
    /// The file is unavailable, or its end is missing. [`RobotsCache::check`] uses the state known so far, or forbids
    /// everything.
    Failed(Arc<RobotsFailure>),
    /// A redirect, with the next request.
    Moved(RobotsRequest),
    /// No request was sent, for a reason other than the host. It must be repeated.
    NotRequested(RobotsRequest, Failure),
}
