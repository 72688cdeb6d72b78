//! What holds of a robots.txt at a given moment (RFC 9309, 2.3.1.4 and 2.4). Pure: the time is a parameter.
//!
//! ```text
//!  fetched ───── max_age ─────┬───── max_stale ─────┐
//!  its rules hold             │ unreachable: they   │ unreachable: nothing may be fetched
//!                             │ stand in            │
//!                             └─ asked again; while that fails, every retry_after
//!
//!  failing since ──────────── unreachable_after ────────────► the last copy holds; without one, all is allowed
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::kept::{KeptRobots, RobotsFailure};
use crate::config::RobotsConfig;
use crate::fetch::robots_txt::{Decision, RobotsTxt};
use crate::parse;
use crate::urls::CanonicalUrl;

/// By what a host's URLs are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RobotsBasis {
    /// The file as it was fetched lately.
    Fresh,
    /// An older copy, because the file cannot be had now.
    StandsIn,
    /// Nothing: the file cannot be had, so nothing may be fetched.
    Undefined,
    /// The last copy or, without any, no rules: the file could not be had for `robots.unreachable_after`.
    GivenUp,
}

/// What is known of an origin's robots.txt, and what it says of one URL: for people. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct RobotsKnown {
    pub basis: RobotsBasis,
    /// When the copy came, and with which status; `None`: none ever did.
    pub fetched: Option<u64>,
    pub status: u16,
    pub tried: u64,
    pub failing_since: Option<u64>,
    /// Why the last try failed, if it did.
    pub failure: Option<Arc<RobotsFailure>>,
    /// When it is asked for again at the earliest.
    pub due: u64,
    /// Whether the copy is an HTML page, such as a server answers with for every path: it has no rules then, or only
    /// such as its text happens to hold.
    pub is_html: bool,
    pub decision: Decision,
    pub crawl_delay: Option<Duration>,
    /// As written.
    pub sitemaps: Vec<String>,
}

impl RobotsKnown {
    /// What a kept robots.txt says of a URL of its origin to the crawler named `token`, at `now`.
    pub fn of(kept: &KeptRobots, config: &RobotsConfig, token: &str, url: &CanonicalUrl, now: u64) -> Self {
        Known::from_kept(kept, config, token).describe(config, url, Duration::from_secs(now))
    }
}

/// Whether a copy begins as an HTML page does.
pub(super) fn is_html(body: &[u8]) -> bool {
    parse::looks_like_html(None, body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)) == Some(true)
}

/// What is known of one origin. Times are since 1970.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Of the last copy; without one, no rules.
    pub rules: Arc<RobotsTxt>,
    /// Whether that copy is an HTML page.
    pub is_html: bool,
    /// When that copy came; `None`: there is none.
    pub fetched: Option<Duration>,
    pub status: u16,
    pub tried: Duration,
    pub failing_since: Option<Duration>,
    /// Why the last try failed, if it did.
    pub failure: Option<Arc<RobotsFailure>>,
    /// Of failures: when to try again.
    pub retry_at: Duration,
}

impl Known {
    pub fn from_kept(kept: &KeptRobots, config: &RobotsConfig, token: &str) -> Self {
        let tried = Duration::from_secs(kept.tried);
        Self {
            rules: Arc::new(RobotsTxt::parse(&kept.body, token, config.max_compared_bytes)),
            is_html: is_html(&kept.body),
            fetched: (kept.status != 0).then(|| Duration::from_secs(kept.fetched)),
            status: kept.status,
            tried,
            failing_since: (kept.failing_since != 0).then(|| Duration::from_secs(kept.failing_since)),
            failure: kept.failure.clone().map(Arc::new),
            retry_at: tried.saturating_add(config.retry_after.0),
        }
    }

    /// The form to keep it in, with the copy that its rules are of.
    pub fn to_kept(&self, body: bytes::Bytes) -> KeptRobots {
        KeptRobots {
            fetched: self.fetched.map_or(0, |at| at.as_secs()),
            status: self.status,
            tried: self.tried.as_secs(),
            // Not failing is 0, and whoever fails at that second fails since the next.
            failing_since: self.failing_since.map_or(0, |at| at.as_secs().max(1)),
            failure: self.failure.as_deref().cloned(),
            body,
        }
    }

    /// From when on the file is to be asked for again, whatever holds until then.
    pub fn due(&self, config: &RobotsConfig, now: Duration) -> Duration {
        match (self.failing_since, self.fetched) {
            // The clock was set back: nobody can tell how old this is.
            _ if self.tried > now => now,
            (None, Some(fetched)) => fetched.saturating_add(config.max_age.0),
            _ => self.retry_at,
        }
    }

    /// By what URLs are judged at `now`, as long as it is not [`Self::due`].
    pub fn basis(&self, config: &RobotsConfig, now: Duration) -> RobotsBasis {
        let stale =
            |fetched: Duration| fetched.saturating_add(config.max_age.0).saturating_add(config.max_stale.0);
        match self.failing_since {
            None => RobotsBasis::Fresh,
            Some(since) if now >= since.saturating_add(config.unreachable_after.0) => RobotsBasis::GivenUp,
            Some(_) if self.fetched.is_some_and(|fetched| now < stale(fetched)) => RobotsBasis::StandsIn,
            Some(_) => RobotsBasis::Undefined,
        }
    }

    pub fn describe(&self, config: &RobotsConfig, url: &CanonicalUrl, now: Duration) -> RobotsKnown {
        let basis = self.basis(config, now);
        let decision = match basis {
            RobotsBasis::Undefined => Decision { allowed: false, line: 0 },
            _ => self.rules.decide(url.path_and_query()),
        };
        RobotsKnown {
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
