//! The frontier's backlog over the store: the queues on disk, and the budgets of hosts and domains.
//!
//! What a host or a registrable domain may have grows with the number of other registrable domains that link to it,
//! which the index knows. A host beyond the number of hosts that its domain may have is asked for nothing.

use std::sync::Arc;

use crate::config::{CrawlConfig, CrawlOrder};
use crate::frontier::{Backlog, Lane, QueueName, QueuedUrl, Standing};
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

/// See the module.
pub(super) struct StoreBacklog {
    store: Arc<Store>,
    config: CrawlConfig,
}

impl StoreBacklog {
    /// Whether a queue of which a URL is known may have new pages fetched.
    pub fn is_spent(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<bool, StoreError> {
        let standing = self.standing(queue, url)?;
        Ok(standing.pages >= standing.budget || standing.domain_pages >= standing.domain_budget)
    }

    pub fn new(store: &Arc<Store>, config: &CrawlConfig) -> Self {
        Self { store: Arc::clone(store), config: config.clone() }
    }

    /// Other domains that link to a host, or to a domain; no more than can matter.
    fn linking_domains(&self, host: &str, below: bool) -> Result<u64, StoreError> {
        let CrawlConfig { pages_per_linking_domain: each, max_pages_per_host: most, .. } = self.config;
        let enough = most.checked_div(each).unwrap_or(0).clamp(1, MOST_COUNTED);
        Ok(self.store.linking_domains(host, below, usize::try_from(enough).unwrap_or(usize::MAX))? as u64)
    }
}

/// Linking domains counted at most: counting more would cost more than it tells.
const MOST_COUNTED: u64 = 1_000;

impl Backlog for StoreBacklog {
    type Error = StoreError;

    fn queued(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        self.store.queued(queue, lane, after, most)
    }

    fn standing(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<Standing, StoreError> {
        let config = &self.config;
        let domain = self.store.suffixes().domain_of(url.host());
        let pages = self.store.host(queue)?.pages;
        let (domain_pages, servers) = self.store.domain_pages(domain)?;
        let to_host = self.linking_domains(url.host(), false)?;
        let to_domain = self.linking_domains(domain, true)?;
        let hosts = config.domain_hosts.saturating_add(config.hosts_per_linking_domain * to_domain);
        let is_one_too_many = pages == 0 && servers >= hosts;
        let grown = config.host_pages.saturating_add(config.pages_per_linking_domain * to_host);
        Ok(Standing {
            pages,
            budget: if is_one_too_many { 0 } else { grown.min(config.max_pages_per_host) },
            domain: domain.into(),
            domain_pages,
            domain_budget: config.domain_pages.saturating_add(config.pages_per_linking_domain * to_domain),
            domain_queues: hosts.saturating_sub(servers).max(1),
            merit: match config.order {
                CrawlOrder::Breadth => 0,
                CrawlOrder::Rank => (u64::BITS - to_host.leading_zeros()) as u8,
            },
        })
    }
}
