//! The frontier's backlog over the store: the queues on disk, and the budgets of hosts and domains.
//!
//! What a host or a registrable domain may have grows with the number of other registrable domains that link to it,
//! which the index knows. A host beyond the number of hosts that its domain may have is asked for nothing.
//!
//! Counting what a domain has had takes a time in proportion to its hosts, which may be very many. So the figures are
//! kept for so many times as long as counting them took; what is fetched meanwhile the frontier counts itself, and
//! when it counts no more, they are counted anew.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::config::{CrawlConfig, CrawlOrder};
use crate::frontier::{Backlog, Lane, QueueName, QueuedUrl, Standing};
use crate::lru::Lru;
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

/// See the module.
pub(super) struct StoreBacklog {
    store: Arc<Store>,
    config: CrawlConfig,
    domains: RefCell<Lru<Arc<str>, Counted>>,
    /// Of a crawl that goes on without what is damaged, and counts it there.
    enduring: Option<Arc<Progress>>,
}

/// What was counted of a registrable domain.
#[derive(Clone, Copy)]
struct Counted {
    pages: u64,
    /// Schemes, hosts and ports of it that were asked.
    servers: u64,
    /// Other domains that link to it.
    linking: u64,
    /// When it is counted anew.
    until: Instant,
}

/// Linking domains counted at most: counting more would cost more than it tells.
const MOST_COUNTED: u64 = 1_000;
/// Domains whose figures are kept, each some hundred bytes.
const DOMAINS_KEPT: usize = 20_000;
/// How long figures are kept: so many times as long as counting them took, and this long at least.
const KEPT_TIMES: u32 = 100;
const KEPT: Duration = Duration::from_secs(5);

impl StoreBacklog {
    pub fn new(store: &Arc<Store>, config: &CrawlConfig) -> Self {
        let domains = RefCell::new(Lru::new(DOMAINS_KEPT));
        Self { store: Arc::clone(store), config: config.clone(), domains, enduring: None }
    }

    /// Takes what is damaged to be absent from now on, and counts that.
    pub fn endure(self, progress: &Arc<Progress>) -> Self {
        Self { enduring: Some(Arc::clone(progress)), ..self }
    }

    fn unless_damaged<T: Default>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        match (read, &self.enduring) {
            (Err(error), Some(progress)) if error.is_damage() => {
                Progress::add(&progress.damaged, 1);
                tracing::debug!(%error, "what is damaged is taken to be absent");
                Ok(T::default())
            }
            (read, _) => read,
        }
    }

    /// Forgets all that was counted, for somebody who needs to know how it is now.
    pub fn count_anew(&self) {
        *self.domains.borrow_mut() = Lru::new(DOMAINS_KEPT);
    }

    /// Other domains that link to a host, or to a domain; no more than can matter.
    fn linking_domains(&self, host: &str, below: bool) -> Result<u64, StoreError> {
        let CrawlConfig { pages_per_linking_domain: each, max_pages_per_host: most, .. } = self.config;
        let enough = most.checked_div(each).unwrap_or(0).clamp(1, MOST_COUNTED);
        let counted = self.store.linking_domains(host, below, usize::try_from(enough).unwrap_or(usize::MAX));
        Ok(self.unless_damaged(counted)? as u64)
    }

    /// The figures of a domain. At least as many others link to it as were just seen to link to a host of it.
    fn domain(&self, domain: &Arc<str>, linking: u64) -> Result<Counted, StoreError> {
        let (mut domains, now) = (self.domains.borrow_mut(), Instant::now());
        if let Some(counted) = domains.get(domain).filter(|counted| now < counted.until) {
            counted.linking = counted.linking.max(linking);
            return Ok(*counted);
        }
        let (pages, servers) = self.unless_damaged(self.store.domain_pages(domain))?;
        let linking = self.linking_domains(domain, true)?.max(linking);
        let until = Instant::now() + KEPT.max(now.elapsed() * KEPT_TIMES);
        let counted = Counted { pages, servers, linking, until };
        domains.insert(Arc::clone(domain), counted, 1);
        Ok(counted)
    }
}

impl Backlog for StoreBacklog {
    type Error = StoreError;

    fn queued(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, StoreError> {
        self.unless_damaged(self.store.queued(queue, lane, after, most))
    }

    fn standing(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<Standing, StoreError> {
        let config = &self.config;
        let domain: Arc<str> = self.store.suffixes().domain_of(url.host()).into();
        let host = self.unless_damaged(self.store.host(queue))?;
        let to_host = self.linking_domains(url.host(), false)?;
        let Counted { pages: domain_pages, servers, linking, .. } = self.domain(&domain, to_host)?;
        let grown = config.host_pages.saturating_add(config.pages_per_linking_domain * to_host);
        Ok(Standing {
            pages: host.pages,
            budget: grown.min(config.max_pages_per_host),
            was_asked: host.visits > 0,
            domain,
            domain_pages,
            domain_budget: config.domain_pages.saturating_add(config.pages_per_linking_domain * linking),
            domain_asked: servers,
            domain_queues: config.domain_hosts.saturating_add(config.hosts_per_linking_domain * linking),
            merit: match config.order {
                CrawlOrder::Breadth => 0,
                CrawlOrder::Rank => (u64::BITS - to_host.leading_zeros()) as u8,
            },
        })
    }

    fn left(&self, domain: &str) {
        self.domains.borrow_mut().remove(&domain.into());
    }
}
