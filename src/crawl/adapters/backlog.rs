//! The frontier's backlog over the store: the queues on disk, and the budgets of hosts and domains.
//!
//! A [`BudgetStatus`] depends on counts of pages and of linking domains; the index has them.
//!
//! Counting the pages of a domain takes time in proportion to its hosts, which may be very many. So the
//! counts are cached for a multiple of the time that counting took. The frontier itself counts what is
//! fetched meanwhile. When it no longer does, the cached counts are dropped.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use crate::config::CrawlConfig;
use crate::crawl::progress::Progress;
use crate::crawl::timing::{DOMAIN_COUNTS_TTL_FACTOR, MIN_DOMAIN_COUNTS_TTL};
use crate::frontier::Backlog;
use crate::lru::Lru;
use crate::model::{Lane, QueueEntry, QueueName};
use crate::policy::{BudgetCounts, BudgetStatus};
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

/// See the module.
pub(in crate::crawl) struct StoreBacklog {
    store: Arc<Store>,
    config: CrawlConfig,
    domains: RefCell<Lru<Arc<str>, DomainCounts>>,
    /// Counts damaged data that is skipped; `None` when damage is an error.
    damage_counter: Option<Arc<Progress>>,
}

/// The counts of a registrable domain.
#[derive(Clone, Copy)]
struct DomainCounts {
    pages: u64,
    /// Its schemes, hosts and ports that received a request.
    servers: u64,
    /// Other domains that link to it.
    linking: u64,
    /// When it is counted again.
    expires_at: Instant,
}

/// Domains with cached counts, each some hundred bytes.
const CACHED_DOMAINS: usize = 20_000;

impl StoreBacklog {
    pub(crate) fn new(store: &Arc<Store>, config: &CrawlConfig) -> Self {
        let domains = RefCell::new(Lru::new(CACHED_DOMAINS));
        Self { store: Arc::clone(store), config: config.clone(), domains, damage_counter: None }
    }

    /// Treats damaged data as absent from now on, and counts it.
    pub(crate) fn tolerate_damage(self, progress: &Arc<Progress>) -> Self {
        Self { damage_counter: Some(Arc::clone(progress)), ..self }
    }

    fn or_default_if_damaged<T: Default>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        match (read, &self.damage_counter) {
            (Err(error), Some(progress)) if error.is_damage() => {
                Progress::add(&progress.damaged, 1);
                tracing::debug!(%error, "damaged data is treated as absent");
                Ok(T::default())
            }
            (read, _) => read,
        }
    }

    /// Drops the cached counts, for a caller that needs current ones.
    pub(crate) fn forget_counts(&self) {
        *self.domains.borrow_mut() = Lru::new(CACHED_DOMAINS);
    }

    /// Counts the other domains that link to a host, or to a domain, up to the number that matters.
    fn linking_domains(&self, host: &str, below: bool) -> Result<u64, StoreError> {
        let most = BudgetStatus::max_counted_linking_domains(&self.config);
        let counted = self.store.linking_domains(host, below, most);
        Ok(self.or_default_if_damaged(counted)? as u64)
    }

    /// The counts of a domain. `linking` is the count for one of its hosts, which that of the domain cannot
    /// be below.
    fn domain_counts(&self, domain: &Arc<str>, linking: u64) -> Result<DomainCounts, StoreError> {
        let (mut domains, now) = (self.domains.borrow_mut(), Instant::now());
        if let Some(counted) = domains.get(domain).filter(|counted| now < counted.expires_at) {
            counted.linking = counted.linking.max(linking);
            return Ok(*counted);
        }
        let (pages, servers) = self.or_default_if_damaged(self.store.domain_pages(domain))?;
        let linking = self.linking_domains(domain, true)?.max(linking);
        let expires_at = Instant::now() + MIN_DOMAIN_COUNTS_TTL.max(now.elapsed() * DOMAIN_COUNTS_TTL_FACTOR);
        let counted = DomainCounts { pages, servers, linking, expires_at };
        domains.insert(Arc::clone(domain), counted, 1);
        Ok(counted)
    }
}

impl Backlog for StoreBacklog {
    type Error = StoreError;

    fn entries_of_lane(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueueEntry>,
        most: usize,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        self.or_default_if_damaged(self.store.entries_of_lane(queue, lane, after, most))
    }

    fn budget_status(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<BudgetStatus, StoreError> {
        let domain: Arc<str> = self.store.suffixes().domain_of(url.host()).into();
        let host = self.or_default_if_damaged(self.store.host(queue))?;
        let linking = self.linking_domains(url.host(), false)?;
        let counted = self.domain_counts(&domain, linking)?;
        let counts = BudgetCounts {
            pages: host.pages,
            was_requested: host.visits > 0,
            linking,
            domain,
            domain_pages: counted.pages,
            domain_requested: counted.servers,
            domain_linking: counted.linking,
        };
        Ok(BudgetStatus::new(&self.config, counts))
    }

    fn domain_evicted(&self, domain: &str) {
        self.domains.borrow_mut().remove(domain);
    }
}
