//! The validity of a robots.txt over time (RFC 9309, 2.3.1.4 and 2.4). Pure: the time is a parameter.
//!
//! ```text
//!  fetched ───── max_age ─────┬───── max_stale ─────┐
//!  its rules hold             │ unreachable: they   │ unreachable: nothing may be fetched
//!                             │ still hold          │
//!                             └─ fetched again; while that fails, every retry_after
//!
//!  failing since ──────────── unreachable_after ────────────► the last copy holds; without one, all is allowed
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::stored::{RobotsFailure, StoredRobots};
use crate::config::RobotsConfig;
use crate::fetch::robots_txt::{Decision, RobotsTxt};
use crate::sniff;
use crate::urls::CanonicalUrl;

/// The basis of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RobotsBasis {
    /// A recent copy of the file.
    Fresh,
    /// An older copy, because the file is unavailable now.
    StaleCopy,
    /// Nothing: the file is unavailable, so nothing may be fetched.
    Unavailable,
    /// The last copy, or no rules without one: the file was unavailable for `robots.unreachable_after`.
    Expired,
}

/// The state of an origin's robots.txt and its verdict for one URL, for display. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct RobotsStatus {
    pub basis: RobotsBasis,
    /// Time and status of the copy; `None`: there is no copy.
    pub fetched: Option<u64>,
    pub status: u16,
    pub tried: u64,
    pub failing_since: Option<u64>,
    /// Why the last attempt failed, if it did.
    pub failure: Option<Arc<RobotsFailure>>,
    /// Earliest time of the next fetch.
    pub due: u64,
    /// Whether the copy is an HTML page, which some servers send for every path. It then has no rules, or only
    /// accidental ones.
    pub is_html: bool,
    pub decision: Decision,
    pub crawl_delay: Option<Duration>,
    /// As written.
    pub sitemaps: Vec<String>,
}

impl RobotsStatus {
    /// The state of a stored robots.txt at `now`, and its verdict for a URL of its origin and the crawler named
    /// `token`.
    pub fn of(
        stored: &StoredRobots,
        config: &RobotsConfig,
        token: &str,
        url: &CanonicalUrl,
        now: u64,
    ) -> Self {
        RobotsState::from_stored(stored, config, token).describe(config, url, Duration::from_secs(now))
    }
}

/// Whether a copy starts like an HTML page.
pub(super) fn is_html(body: &[u8]) -> bool {
    sniff::looks_like_html(None, body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)) == Some(true)
}

/// The state of one origin. Times are since 1970.
#[derive(Clone, Debug)]
pub(super) struct RobotsState {
    /// Rules of the last copy; no rules without one.
    pub rules: Arc<RobotsTxt>,
    /// Whether that copy is an HTML page.
    pub is_html: bool,
    /// Time of that copy; `None`: there is none.
    pub fetched: Option<Duration>,
    pub status: u16,
    pub tried: Duration,
    pub failing_since: Option<Duration>,
    /// Why the last attempt failed, if it did.
    pub failure: Option<Arc<RobotsFailure>>,
    /// After a failure: time of the next attempt.
    pub retry_at: Duration,
}

impl RobotsState {
    pub(super) fn from_stored(stored: &StoredRobots, config: &RobotsConfig, token: &str) -> Self {
        let tried = Duration::from_secs(stored.tried);
        Self {
            rules: Arc::new(RobotsTxt::parse(&stored.body, token, config.max_compared_bytes)),
            is_html: is_html(&stored.body),
            fetched: (stored.status != 0).then(|| Duration::from_secs(stored.fetched)),
            status: stored.status,
            tried,
            failing_since: (stored.failing_since != 0).then(|| Duration::from_secs(stored.failing_since)),
            failure: stored.failure.clone().map(Arc::new),
            retry_at: tried.saturating_add(config.retry_after.0),
        }
    }

    /// The persistent form, with the body that the rules were parsed from.
    pub(super) fn to_stored(&self, body: bytes::Bytes) -> StoredRobots {
        StoredRobots {
            fetched: self.fetched.map_or(0, |at| at.as_secs()),
            status: self.status,
            tried: self.tried.as_secs(),
            // 0 means success, so a failure in that second is stored as one second later.
            failing_since: self.failing_since.map_or(0, |at| at.as_secs().max(1)),
            failure: self.failure.as_deref().cloned(),
            body,
        }
    }

    /// The time from which the file must be fetched again.
    pub(super) fn due(&self, config: &RobotsConfig, now: Duration) -> Duration {
        match (self.failing_since, self.fetched) {
            // The clock was set back, so the age of the copy is unknown.
            _ if self.tried > now => now,
            (None, Some(fetched)) => fetched.saturating_add(config.max_age.0),
            _ => self.retry_at,
        }
    }

    /// The basis of verdicts at `now`, before [`Self::due`].
    pub(super) fn basis(&self, config: &RobotsConfig, now: Duration) -> RobotsBasis {
        let stale =
            |fetched: Duration| fetched.saturating_add(config.max_age.0).saturating_add(config.max_stale.0);
        match self.failing_since {
            None => RobotsBasis::Fresh,
            Some(since) if now >= since.saturating_add(config.unreachable_after.0) => RobotsBasis::Expired,
            Some(_) if self.fetched.is_some_and(|fetched| now < stale(fetched)) => RobotsBasis::StaleCopy,
            Some(_) => RobotsBasis::Unavailable,
        }
    }

    pub(super) fn describe(&self, config: &RobotsConfig, url: &CanonicalUrl, now: Duration) -> RobotsStatus {
        let basis = self.basis(config, now);
        let decision = match basis {
            RobotsBasis::Unavailable => Decision { allowed: false, line: 0 },
            _ => self.rules.decide(url.path_and_query()),
        };
        RobotsStatus {
            basis,
            fetched: self.fetched.map(|at| at.as_secs()),
            status: self.status,
            tried: self.tried.as_secs(),
            failing_since: self.failing_since.map(|at| at.as_secs()),
            failure: self.failure.clone(),
            due: self.due(config, now).as_secs(),
            is_html: self.is_html,
            decision,
            crawl_delay: self.rules.crawl_delay(),
            sitemaps: self.rules.sitemaps().to_vec(),
        }
    }
}
