//! The state of one origin (scheme, host and port), and how it is treated. `backlinkd host` prints it, and `backlinkd
//! explain` uses it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::Serialize;

use crate::cli::context::CliContext;
use crate::cli::lists::blocks;
use crate::crawl;
use crate::fetch::{RobotsBasis, RobotsStatus, StoredRobots};
use crate::model::{FailureKind, HostFailure, HostRecord, HostVisit, QueueName};
use crate::store::Store;
use crate::urls::CanonicalUrl;

/// One origin. Times are Unix seconds.
#[derive(Debug, Serialize)]
pub struct ServerReport {
    pub origin: String,
    /// Whether a block list names the host.
    pub blocked: bool,
    /// Seconds from the end of one fetch to the start of the next.
    pub delay_seconds: f64,
    /// URLs in the queue.
    pub queued: u64,
    /// Visits to pages, and the number of consecutive failures at the end.
    pub visits: u64,
    pub failures_in_a_row: u32,
    /// End of the back-off; `null` outside one.
    pub asleep_until: Option<u64>,
    /// `null`: not fetched yet.
    pub robots: Option<RobotsReport>,
    pub budget: BudgetReport,
    /// The latest last.
    pub last_visits: Vec<VisitReport>,
    /// The last failed requests, including robots.txt and sitemaps; the latest last.
    pub failures: Vec<FailureReport>,
}

/// A failed request.
#[derive(Debug, Serialize)]
pub struct FailureReport {
    pub at: u64,
    pub url: String,
    pub kind: String,
    pub cause: String,
}

/// What the robots.txt says about the URL.
#[derive(Debug, Serialize)]
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

/// New pages fetched and their maximum, for the host and for its registrable domain.
#[derive(Debug, Serialize)]
pub struct BudgetReport {
    pub pages: u64,
    pub most: u64,
    pub domain: String,
    pub domain_pages: u64,
    pub domain_most: u64,
}

#[derive(Debug, Serialize)]
pub struct VisitReport {
    pub at: u64,
    /// HTTP status, or the kind of failure.
    pub outcome: String,
}

impl ServerReport {
    /// Collects the state of the origin of a URL.
    pub fn collect(context: &CliContext, store: &Arc<Store>, url: &CanonicalUrl) -> anyhow::Result<Self> {
        let config = &context.config;
        let queue = QueueName::of(url);
        let record = store.host(&queue)?;
        let asleep_until = crawl::asleep_until(config, &record, unix_now());
        let HostRecord { visits, failures: failures_in_a_row, last, last_failures, .. } = record;
        let standing = crawl::budget_status(store, &config.crawl, url)?;
        let (blocks, _) = blocks::load(config, store.directory()).context("a block list cannot be used")?;
        let robots = robots_report(context, store, url)?;
        let asked = robots.as_ref().and_then(|robots| robots.crawl_delay_seconds).unwrap_or(0.0);
        let most = config.crawl.max_crawl_delay.0.as_secs_f64();
        Ok(Self {
            origin: url.origin().to_owned(),
            blocked: blocks.blocks(url.host()),
            delay_seconds: config.crawl.delay.0.as_secs_f64().max(asked.min(most)),
            queued: store.queue_length_of(&queue)?,
            visits,
            failures_in_a_row,
            asleep_until,
            robots,
            budget: BudgetReport {
                pages: standing.pages,
                // A host beyond the number of hosts of its domain gets no pages.
                most: if standing.exceeds_domain_queues() { 0 } else { standing.budget },
                domain: standing.domain.to_string(),
                domain_pages: standing.domain_pages,
                domain_most: standing.domain_budget,
            },
            last_visits: last.iter().map(visit_report).collect(),
            failures: last_failures.into_iter().map(failure_report).collect(),
        })
    }
}

fn robots_report(
    context: &CliContext,
    store: &Store,
    url: &CanonicalUrl,
) -> anyhow::Result<Option<RobotsReport>> {
    let Some(kept) = store.robots(url.origin())?.and_then(|bytes| StoredRobots::decode(&bytes)) else {
        return Ok(None);
    };
    let config = &context.config;
    let known = RobotsStatus::of(&kept, &config.robots, &config.fetch.user_agent, url, unix_now());
    let undefined = known.basis == RobotsBasis::Undefined;
    let failure = known.failure.as_deref().cloned().unwrap_or_default();
    Ok(Some(RobotsReport {
        allowed: known.decision.allowed && !undefined,
        line: if undefined { 0 } else { known.decision.line },
        basis: match known.basis {
            RobotsBasis::Fresh => "the file as it was fetched lately",
            RobotsBasis::StandsIn => "an older copy, because the file cannot be had now",
            RobotsBasis::Undefined => "nothing: the file cannot be had, so nothing may be fetched",
            RobotsBasis::GivenUp => "the last copy or no rules: the file could not be had for too long",
        },
        fetched: known.fetched,
        status: known.status,
        failing_since: known.failing_since,
        attempts: failure.attempts,
        kind: failure.kind,
        cause: failure.cause,
        due: known.due,
        crawl_delay_seconds: known.crawl_delay.map(|delay| delay.as_secs_f64()),
    }))
}

fn visit_report(visit: &HostVisit) -> VisitReport {
    let failure = FailureKind::from_number(visit.failure);
    let outcome = failure.map_or_else(|| visit.status.to_string(), |kind| kind.as_str().to_owned());
    VisitReport { at: visit.at, outcome }
}

fn failure_report(HostFailure { at, url, kind, cause }: HostFailure) -> FailureReport {
    FailureReport { at, url, kind, cause }
}

pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Formats a Unix time for people (RFC 3339).
pub fn format_time(unix: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(unix));
    at.map_or_else(|| unix.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
}
