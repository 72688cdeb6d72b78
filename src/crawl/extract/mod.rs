//! Extracts records and URLs from responses: pages and sitemaps.

pub(super) mod page;
pub(super) mod sitemap;
pub(super) mod sitemap_quota;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use sitemap_quota::SitemapQuotas;

use super::Crawler;
use super::progress::Progress;
use crate::config::Config;
use crate::geo::Geo;
use crate::lru::Lru;
use crate::model::Day;
use crate::policy::{AdmissionRules, Reason, SeedDomains, TrapRules};
use crate::store::{RecentUrls, Store, StoreError};
use crate::urls::{CanonicalUrl, Suffixes, UrlRules};

/// The extractor of pages and sitemaps, with its rules. All fetches of a crawl share it.
pub(in crate::crawl) struct Extractor {
    pub(super) config: Config,
    pub(super) rules: UrlRules,
    pub(super) suffixes: Arc<Suffixes>,
    geo: Arc<Geo>,
    pub(super) progress: Arc<Progress>,
    pub(super) store: Arc<Store>,
    /// The least seconds between two visits of a page.
    pub(super) recrawl_min: u64,
    admission: AdmissionRules,
    /// URLs that were discovered lately, and need not be reported again.
    recent_urls: Arc<RecentUrls>,
    /// Pages of a host with the same content, by a fingerprint of both.
    duplicate_counts: Arc<Mutex<Lru<u64, u32>>>,
    pub(super) sitemap_quotas: Arc<SitemapQuotas>,
}

impl Extractor {
    /// # Errors
    /// When the store cannot list its domains.
    pub fn new(crawler: &Crawler, seeds: &[CanonicalUrl]) -> Result<Self, StoreError> {
        let domains = match (crawler.config.crawl.stay_on_seed_domains, seeds) {
            (false, _) => None,
            // A crawl without new seeds stays on the domains of the earlier ones.
            (true, []) => Some(crawler.store.visited_domains()?),
            (true, _) => Some(HashSet::new()),
        };
        let seed_domains = domains.map(|domains| SeedDomains::new(domains, crawler.store.suffixes()));
        Ok(Self::with_domains(crawler, seed_domains, seeds))
    }

    /// The replacement for this extractor after a reload: with more seeds, and with the current block list.
    pub fn successor(&self, crawler: &Crawler, seeds: &[CanonicalUrl]) -> Self {
        Self::with_domains(crawler, self.admission.seed_domains.clone(), seeds)
    }

    fn with_domains(
        crawler: &Crawler,
        mut seed_domains: Option<SeedDomains>,
        seeds: &[CanonicalUrl],
    ) -> Self {
        if let Some(domains) = &mut seed_domains {
            domains.add(seeds);
        }
        let admission = AdmissionRules {
            seed_domains,
            blocks: crawler.blocks(),
            traps: TrapRules::new(&crawler.config.traps),
            max_depth: crawler.config.crawl.max_depth,
        };
        Self {
            admission,
            store: Arc::clone(&crawler.store),
            recent_urls: crawler.store.recent_urls(),
            recrawl_min: crawler.recrawl.min.as_secs(),
            duplicate_counts: Arc::clone(&crawler.duplicate_counts),
            sitemap_quotas: Arc::clone(&crawler.sitemap_quotas),
            config: crawler.config.clone(),
            rules: crawler.rules.clone(),
            suffixes: Arc::clone(crawler.store.suffixes()),
            geo: Arc::clone(&crawler.geo),
            progress: Arc::clone(&crawler.progress),
        }
    }

    /// Whether a discovered URL may be queued. Counts those that may not.
    pub fn may_follow(&self, url: &CanonicalUrl, today: Day) -> bool {
        let admitted = self.admission.admit(url, today);
        match &admitted {
            Err(Reason::Blocked) => Progress::add(&self.progress.blocked, 1),
            Err(Reason::Trap(trap)) => {
                Progress::add(&self.progress.trapped, 1);
                tracing::debug!(%url, %trap, "a trap URL is not queued");
            }
            _ => {}
        }
        admitted.is_ok()
    }
}
