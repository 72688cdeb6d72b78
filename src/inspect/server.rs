//! The state of one origin (scheme, host and port), and how it is treated.

use std::sync::Arc;

use serde::Serialize;

use super::{InspectError, Inspector, RobotsReport};
use crate::model::{FailureKind, HostFailure, HostRecord, HostVisit, QueueName};
use crate::policy::{BlockList, BudgetCounts, BudgetStatus, Reason, backoff_end, max_stored_backoff};
use crate::store::BLOCKS_FILE;
use crate::urls::CanonicalUrl;

/// One origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OriginReport {
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
    /// End of the backoff; `null` outside one.
    #[serde(rename = "asleep_until")]
    pub backoff_until: Option<u64>,
    /// `null`: not fetched yet.
    pub robots: Option<RobotsReport>,
    pub budget: BudgetReport,
    /// The latest last.
    pub last_visits: Vec<VisitReport>,
    /// The last failed requests, including robots.txt and sitemaps; the latest last.
    pub failures: Vec<FailureReport>,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureReport {
    pub at: u64,
    pub url: String,
    pub kind: String,
    pub cause: String,
}

/// New pages fetched and their maximum, for the host and for its registrable domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetReport {
    pub pages: u64,
    pub most: u64,
    pub domain: String,
    pub domain_pages: u64,
    pub domain_most: u64,
}

/// A visit to a page of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VisitReport {
    pub at: u64,
    /// HTTP status, or the kind of failure.
    pub outcome: String,
}

impl Inspector<'_> {
    /// Reports on the origins of a URL's host: those with a request, and those that are queued.
    ///
    /// # Errors
    /// [`InspectError`] when the store fails or a block list cannot be used.
    pub fn origin_reports(&self, url: &CanonicalUrl) -> Result<Vec<OriginReport>, InspectError> {
        let servers = self.store.servers_at(url.host())?;
        let mut urls: Vec<CanonicalUrl> = servers.iter().filter_map(QueueName::home).collect();
        for scheme in ["https", "http"] {
            let home = self.rules.canonical(&format!("{scheme}://{}/", url.authority()))?;
            // A server that is queued but was never fetched from.
            if !urls.contains(&home) && self.store.queue_length_of(&QueueName::of(&home), self.proceed)? > 0 {
                urls.push(home);
            }
        }
        let blocks = self.block_list()?;
        urls.iter().map(|url| Ok(self.origin_report(url, &blocks)?.0)).collect()
    }

    /// The hosts that are not fetched, by the configuration and by the list of the index.
    pub(super) fn block_list(&self) -> Result<BlockList, InspectError> {
        let own = self.store.directory().join(BLOCKS_FILE);
        Ok(BlockList::read_both(&self.config.crawl.block_list, &own)?.0)
    }

    /// Reports on the origin of a URL, and reads its budget.
    pub(super) fn origin_report(
        &self,
        url: &CanonicalUrl,
        blocks: &BlockList,
    ) -> Result<(OriginReport, BudgetStatus), InspectError> {
        let queue = QueueName::of(url);
        let record = self.store.host(&queue)?;
        let budget = self.budget(url, &record)?;
        let robots = self.robots(url)?;
        let report = OriginReport {
            origin: url.origin().to_owned(),
            blocked: blocks.blocks(url.host()),
            delay_seconds: self.delay_seconds(robots.as_ref()),
            queued: self.store.queue_length_of(&queue, self.proceed)?,
            visits: record.visits,
            failures_in_a_row: record.failures,
            backoff_until: self.backoff_until(&record),
            robots,
            budget: BudgetReport::from(&budget),
            last_visits: record.last.iter().map(VisitReport::from).collect(),
            failures: record.last_failures.into_iter().map(FailureReport::from).collect(),
        };
        Ok((report, budget))
    }

    /// Seconds from the end of one fetch to the start of the next.
    pub(super) fn delay_seconds(&self, robots: Option<&RobotsReport>) -> f64 {
        let crawl = &self.config.crawl;
        let asked = robots.and_then(|robots| robots.crawl_delay_seconds).unwrap_or(0.0);
        crawl.delay.0.as_secs_f64().max(asked.min(crawl.max_crawl_delay.0.as_secs_f64()))
    }

    /// The end of the backoff of a server; `None` outside one.
    pub(super) fn backoff_until(&self, record: &HostRecord) -> Option<u64> {
        backoff_end(max_stored_backoff(&self.config.crawl, &self.config.robots), record, self.now)
    }

    /// Reads the budget of a server.
    pub(super) fn budget(
        &self,
        url: &CanonicalUrl,
        record: &HostRecord,
    ) -> Result<BudgetStatus, InspectError> {
        let domain: Arc<str> = self.store.suffixes().domain_of(url.host()).into();
        let most = BudgetStatus::max_counted_linking_domains(&self.config.crawl);
        let linking = self.store.linking_domains(url.host(), false, most)? as u64;
        let (domain_pages, domain_requested) = self.store.count_domain_pages(&domain, self.proceed)?;
        let domain_linking = self.store.linking_domains(&domain, true, most)? as u64;
        let counts = BudgetCounts {
            pages: record.pages,
            was_requested: record.visits > 0,
            linking,
            domain,
            domain_pages,
            domain_requested,
            // The count for a domain cannot be below that for one of its hosts.
            domain_linking: domain_linking.max(linking),
        };
        Ok(BudgetStatus::new(&self.config.crawl, counts))
    }
}

impl OriginReport {
    /// The reasons why the host is in backoff: its end, and the last failure.
    pub(super) fn backoff_reasons(&self) -> Vec<Reason> {
        let Some(until) = self.backoff_until else { return Vec::new() };
        let failure = self
            .failures
            .last()
            .cloned()
            .map(|FailureReport { at, url, kind, cause }| Reason::HostFailure { at, url, kind, cause });
        [Reason::Backoff { until }].into_iter().chain(failure).collect()
    }
}

impl From<&BudgetStatus> for BudgetReport {
    fn from(budget: &BudgetStatus) -> Self {
        Self {
            pages: budget.pages,
            most: budget.limit(),
            domain: budget.domain.to_string(),
            domain_pages: budget.domain_pages,
            domain_most: budget.domain_budget,
        }
    }
}

impl From<&HostVisit> for VisitReport {
    fn from(visit: &HostVisit) -> Self {
        let failure = FailureKind::from_code(visit.failure);
        let outcome = failure.map_or_else(|| visit.status.to_string(), |kind| kind.as_str().to_owned());
        Self { at: visit.visited_at, outcome }
    }
}

impl From<HostFailure> for FailureReport {
    fn from(HostFailure { at, url, kind, cause }: HostFailure) -> Self {
        Self { at, url, kind, cause }
    }
}
