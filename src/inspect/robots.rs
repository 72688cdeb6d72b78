//! The state of a robots.txt, and its verdict on a URL.

use serde::Serialize;

use super::{InspectError, Inspector};
use crate::fetch::{RobotsBasis, RobotsStatus, StoredRobots};
use crate::policy::{Reason, RobotsRefusal};
use crate::urls::CanonicalUrl;

/// What the robots.txt says about the URL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RobotsReport {
    pub allowed: bool,
    /// Number of the deciding line; 0 without one.
    pub line: u32,
    /// What the decision is based on.
    pub basis: &'static str,
    /// When the stored copy was fetched, and with which status.
    pub fetched: Option<u64>,
    pub status: u16,
    /// Start and number of the consecutive failures, and their cause. `null`, 0 and empty: the last request
    /// succeeded. Without a time: why the end of the file is missing.
    pub failing_since: Option<u64>,
    pub attempts: u32,
    pub kind: String,
    pub cause: String,
    /// When the file is fetched again.
    pub due: u64,
    pub crawl_delay_seconds: Option<f64>,
}

impl Inspector<'_> {
    /// Reports on the robots.txt of the origin of a URL; `None` when it was not fetched yet.
    pub(super) fn robots(&self, url: &CanonicalUrl) -> Result<Option<RobotsReport>, InspectError> {
        let stored = self.store.robots(url.origin())?.and_then(|bytes| StoredRobots::decode(&bytes));
        let (config, token) = (&self.config.robots, &self.config.fetch.user_agent);
        Ok(stored.map(|stored| report(RobotsStatus::of(&stored, config, token, url, self.now))))
    }
}

impl RobotsReport {
    /// The reasons why the file disallows the URL.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        if self.allowed {
            return Vec::new();
        }
        if self.line > 0 {
            return vec![Reason::Robots(RobotsRefusal::Line(self.line))];
        }
        let failing = self.failing_since.filter(|_| self.attempts > 0).map(|since| RobotsRefusal::Failing {
            since,
            kind: self.kind.clone(),
            cause: self.cause.clone(),
            retry_at: self.due,
        });
        [RobotsRefusal::Basis(self.basis)].into_iter().chain(failing).map(Reason::Robots).collect()
    }
}

fn report(status: RobotsStatus) -> RobotsReport {
    let failure = status.failure.as_deref().cloned().unwrap_or_default();
    RobotsReport {
        allowed: status.decision.allowed,
        line: status.decision.line,
        basis: match status.basis {
            RobotsBasis::Fresh => "the file as last fetched",
            RobotsBasis::StaleCopy => "an older copy, because the file is unavailable now",
            RobotsBasis::Unavailable => "nothing: the file is unavailable, so nothing may be fetched",
            RobotsBasis::Expired => "the last copy or no rules: the file was unavailable for too long",
        },
        fetched: status.fetched,
        status: status.status,
        failing_since: status.failing_since,
        attempts: failure.attempts,
        kind: failure.kind,
        cause: failure.cause,
        due: status.due,
        crawl_delay_seconds: status.crawl_delay.map(|delay| delay.as_secs_f64()),
    }
}
