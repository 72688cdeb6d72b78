//! Budgets: how many new pages a host and its registrable domain may have.
//!
//! The budget of a host or a registrable domain grows with the number of other registrable domains that link
//! to it. A host beyond the host limit of its domain gets no new page.

use std::sync::Arc;

use super::Reason;
use crate::config::{CrawlConfig, CrawlOrder};

/// The limit of linking domains that are counted, because larger counts cost more than they help.
const MAX_LINKING_DOMAINS: u64 = 1_000;

/// The counts that the budget of a queue depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetCounts {
    /// Different pages of the queue fetched over all crawls.
    pub pages: u64,
    /// Whether a page of the queue was ever requested.
    pub was_requested: bool,
    /// Other domains that link to the host.
    pub linking: u64,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    /// Pages of all queues of the domain.
    pub domain_pages: u64,
    /// Queues of the domain that ever requested a page.
    pub domain_requested: u64,
    /// Other domains that link to the domain.
    pub domain_linking: u64,
}

/// The budget of a queue, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetStatus {
    /// Different pages of the queue fetched over all crawls, and their limit.
    pub pages: u64,
    pub budget: u64,
    /// Whether a page of the queue was ever requested.
    pub was_requested: bool,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    /// Pages of all queues of the domain, and their limit. The frontier counts itself while it has queues of
    /// the domain, and ignores `domain_pages` and `domain_requested` then.
    pub domain_pages: u64,
    pub domain_budget: u64,
    /// Queues of the domain that ever requested a page, and their limit. Beyond it, no further queue fetches
    /// a new page.
    pub domain_requested: u64,
    pub max_domain_requested: u64,
    /// The order of hosts that may be asked now: higher ones come first.
    pub host_priority: u8,
}

impl BudgetStatus {
    pub fn new(config: &CrawlConfig, counts: BudgetCounts) -> Self {
        let BudgetCounts { linking, domain_linking, .. } = counts;
        let budget = grow(config.host_pages, config.pages_per_linking_domain, linking);
        Self {
            pages: counts.pages,
            budget: budget.min(config.max_pages_per_host),
            was_requested: counts.was_requested,
            domain: counts.domain,
            domain_pages: counts.domain_pages,
            domain_budget: grow(config.domain_pages, config.pages_per_linking_domain, domain_linking),
            domain_requested: counts.domain_requested,
            max_domain_requested: grow(config.domain_hosts, config.hosts_per_linking_domain, domain_linking),
            host_priority: match config.order {
                CrawlOrder::Breadth => 0,
                CrawlOrder::Rank => u8::try_from(u64::BITS - linking.leading_zeros()).unwrap_or(u8::MAX),
            },
        }
    }

    /// The number of linking domains beyond which further ones do not change a budget.
    pub fn max_counted_linking_domains(config: &CrawlConfig) -> usize {
        let enough = config.max_pages_per_host.checked_div(config.pages_per_linking_domain).unwrap_or(0);
        usize::try_from(enough.clamp(1, MAX_LINKING_DOMAINS)).unwrap_or(usize::MAX)
    }

    /// Whether the domain has all the queues it may have, without this one.
    fn exceeds_domain_queues(&self) -> bool {
        !self.was_requested && self.domain_requested >= self.max_domain_requested
    }

    /// New pages that the queue may have. A queue beyond the number of queues of its domain gets none.
    pub fn limit(&self) -> u64 {
        if self.exceeds_domain_queues() { 0 } else { self.budget }
    }

    /// Decides whether the queue may have a new page.
    ///
    /// # Errors
    /// The budget that is used.
    pub fn admit_new_page(&self) -> Result<(), Reason> {
        if self.pages >= self.limit() {
            return Err(Reason::HostBudget { limit: self.limit() });
        }
        if self.domain_pages >= self.domain_budget {
            let domain = Arc::clone(&self.domain);
            return Err(Reason::DomainBudget { domain, limit: self.domain_budget });
        }
        Ok(())
    }

    /// Whether the queue may have no new page.
    pub fn is_exhausted(&self) -> bool {
        self.admit_new_page().is_err()
    }
}

/// A limit that grows with the number of linking domains.
fn grow(base: u64, each: u64, linking: u64) -> u64 {
    base.saturating_add(each.saturating_mul(linking))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_raise_the_budgets_and_the_first_used_one_is_the_reason() {
        let config = CrawlConfig {
            host_pages: 10,
            domain_pages: 15,
            domain_hosts: 2,
            pages_per_linking_domain: 5,
            hosts_per_linking_domain: 1,
            max_pages_per_host: 22,
            ..CrawlConfig::default()
        };
        let counts = |pages, linking, domain_pages, domain_linking| BudgetCounts {
            pages,
            was_requested: true,
            linking,
            domain: "a.test".into(),
            domain_pages,
            domain_requested: 3,
            domain_linking,
        };
        let host = |limit| Err(Reason::HostBudget { limit });
        let domain = |limit| Err(Reason::DomainBudget { domain: "a.test".into(), limit });
        for (counts, right) in [
            (counts(9, 0, 9, 0), Ok(())),
            (counts(10, 0, 10, 0), host(10)),
            (counts(10, 1, 15, 0), domain(15)),
            (counts(14, 1, 15, 1), Ok(())),
            (counts(22, 9, 15, 9), host(22)),
            (BudgetCounts { was_requested: false, ..counts(0, 0, 9, 1) }, host(0)),
            (BudgetCounts { was_requested: false, ..counts(0, 0, 9, 2) }, Ok(())),
        ] {
            let status = BudgetStatus::new(&config, counts.clone());
            assert_eq!(status.admit_new_page(), right, "{counts:?}");
            assert_eq!(status.is_exhausted(), right.is_err());
        }
        assert_eq!(BudgetStatus::max_counted_linking_domains(&config), 4);
    }
}
