//! What is known of one scheme, host and port, and how it is treated: what `backlinkd host` shows, and what
//! `backlinkd explain` goes by.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::Serialize;

use super::{Setting, block_list};
use crate::crawl;
use crate::fetch::{KeptRobots, RobotsBasis, RobotsKnown};
use crate::frontier::QueueName;
use crate::model::{FailureKind, HostFailure, HostRecord, HostVisit};
use crate::store::Store;
use crate::urls::CanonicalUrl;

/// One scheme, host and port. Times are Unix seconds.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub origin: String,
    /// Whether the block list names its host.
    pub blocked: bool,
    /// Seconds from the end of a fetch to the next.
    pub delay_seconds: f64,
    /// URLs that wait to be fetched.
    pub queued: u64,
    /// Visits to pages, and how many of the last failed in a row.
    pub visits: u64,
    pub failures_in_a_row: u32,
    /// Until when it is left alone; `null`: it is not.
    pub asleep_until: Option<u64>,
    /// `null`: it was not asked for yet.
    pub robots: Option<Robots>,
    pub budget: Budget,
    /// The latest last.
    pub last_visits: Vec<Visit>,
    /// The last requests that failed, robots.txt and sitemaps included; the latest last.
    pub failures: Vec<Failure>,
}

/// A request that failed.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub at: u64,
    pub url: String,
    pub kind: String,
    pub cause: String,
}

/// What its robots.txt says of the URL asked about.
#[derive(Debug, Serialize)]
pub(super) struct Robots {
    pub allowed: bool,
    /// Number of the line that decides; 0 when none does.
    pub line: u32,
    /// What it is judged by.
    pub basis: &'static str,
    /// When the copy came, and with which status.
    pub fetched: Option<u64>,
    pub status: u16,
    /// Since when it cannot be had, how often in a row, and why; `null`, 0 and empty: it could be had last. Without a
    /// time, why its end is missing.
    pub failing_since: Option<u64>,
    pub attempts: u32,
    pub kind: String,
    pub cause: String,
    /// When it is asked for again.
    pub due: u64,
    pub crawl_delay_seconds: Option<f64>,
}

/// New pages fetched, and how many may be, of the server and of its registrable domain.
#[derive(Debug, Serialize)]
pub(super) struct Budget {
    pub pages: u64,
    pub most: u64,
    pub domain: String,
    pub domain_pages: u64,
    pub domain_most: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Visit {
    pub at: u64,
    /// HTTP status, or why there was no answer.
    pub outcome: String,
}

impl Server {
    /// What is known of the server of a URL.
    pub fn of(setting: &Setting, store: &Arc<Store>, url: &CanonicalUrl) -> anyhow::Result<Self> {
        let config = &setting.config;
        let queue = QueueName::of(url);
        let record = store.host(&queue)?;
        let asleep_until = crawl::asleep_until(config, &record, unix_now());
        let HostRecord { visits, failures: failures_in_a_row, last, last_failures, .. } = record;
        let standing = crawl::standing(store, &config.crawl, url)?;
        let (blocks, _) =
            block_list::read(config, store.directory()).context("a block list cannot be used")?;
        let robots = robots(setting, store, url)?;
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
            budget: Budget {
                pages: standing.pages,
                // A host more than its domain may have is asked for none.
                most: if standing.is_one_too_many() { 0 } else { standing.budget },
                domain: standing.domain.to_string(),
                domain_pages: standing.domain_pages,
                domain_most: standing.domain_budget,
            },
            last_visits: last.iter().map(visit).collect(),
            failures: last_failures.into_iter().map(failure).collect(),
        })
    }
}

fn robots(setting: &Setting, store: &Store, url: &CanonicalUrl) -> anyhow::Result<Option<Robots>> {
    let Some(kept) = store.robots(url.origin())?.and_then(|bytes| KeptRobots::decode(&bytes)) else {
        return Ok(None);
    };
    let config = &setting.config;
    let known = RobotsKnown::of(&kept, &config.robots, &config.fetch.user_agent, url, unix_now());
    let undefined = known.basis == RobotsBasis::Undefined;
    let failure = known.failure.as_deref().cloned().unwrap_or_default();
    Ok(Some(Robots {
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

fn visit(visit: &HostVisit) -> Visit {
    let failure = FailureKind::from_number(visit.failure);
    let outcome = failure.map_or_else(|| visit.status.to_string(), |kind| kind.as_str().to_owned());
    Visit { at: visit.at, outcome }
}

fn failure(HostFailure { at, url, kind, cause }: HostFailure) -> Failure {
    Failure { at, url, kind, cause }
}

pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A Unix time as people read it.
pub(super) fn time(unix: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(unix));
    at.map_or_else(|| unix.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
}
