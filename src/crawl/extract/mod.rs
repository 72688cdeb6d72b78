//! Extracts records and URLs from responses: pages and sitemaps.

mod follow;
mod page;
mod sitemap;
mod sitemap_quota;

use std::collections::HashSet;
use std::sync::Arc;

use super::messages::Completion;
use super::progress::Progress;
use super::walls::redirect_chain::RedirectChain;
use crate::config::Config;
use crate::fetch::{FetchOutcome, Reservation, Response, RobotsCache};
use crate::geo::Geo;
use crate::model::{DiscoveredUrl, QueueEntry, Target};
use crate::policy::{BlockList, SeedDomains};
use crate::store::{Store, StoreError};
use crate::urls::{CanonicalUrl, UrlRules};

use follow::FollowRules;
use page::PageExtractor;
use sitemap::SitemapExtractor;

/// The response that ends the visit of a queued URL.
pub(in crate::crawl) struct FinalResponse {
    pub entry: QueueEntry,
    /// The URL of the request: that of the last redirect, or the queued one.
    pub requested: CanonicalUrl,
    /// The redirect chain that led to it.
    pub chain: Option<RedirectChain>,
    pub outcome: FetchOutcome,
    /// Whether the request carried validators.
    pub is_conditional: bool,
}

/// The extractor of pages and sitemaps, with its rules. All fetches of a crawl share it.
#[derive(Clone)]
pub(in crate::crawl) struct Extractor {
    store: Arc<Store>,
    stays_on_seed_domains: bool,
    follow: Arc<FollowRules>,
    pages: PageExtractor,
    sitemaps: SitemapExtractor,
}

impl Extractor {
    /// An extractor that goes to all domains, and that blocks no host.
    pub(super) fn new(
        store: &Arc<Store>,
        config: &Config,
        rules: &UrlRules,
        geo: &Arc<Geo>,
        progress: &Arc<Progress>,
    ) -> Self {
        let follow = Arc::new(FollowRules::new(config, progress));
        Self {
            store: Arc::clone(store),
            stays_on_seed_domains: config.crawl.stay_on_seed_domains,
            pages: PageExtractor::new(store, config, rules, geo, progress, &follow),
            sitemaps: SitemapExtractor::new(store, config, rules, progress, &follow),
            follow,
        }
    }

    /// Counts into another progress.
    pub(super) fn with_progress(&self, progress: &Arc<Progress>) -> Self {
        let follow = Arc::new(self.follow.with_progress(progress));
        Self {
            pages: self.pages.with_progress(progress).with_follow(&follow),
            sitemaps: self.sitemaps.with_progress(progress).with_follow(&follow),
            follow,
            ..self.clone()
        }
    }

    /// The extractor of a crawl with these seeds.
    ///
    /// # Errors
    /// When the store cannot list its domains.
    pub(super) fn for_crawl(&self, seeds: &[CanonicalUrl], blocks: BlockList) -> Result<Self, StoreError> {
        let stay_on = match (self.stays_on_seed_domains, seeds) {
            (false, _) => None,
            // A crawl without new seeds stays on the domains of the earlier ones.
            (true, []) => Some(self.store.visited_domains()?),
            (true, _) => Some(HashSet::new()),
        };
        let seed_domains = stay_on.map(|domains| SeedDomains::new(domains, self.store.suffixes()));
        Ok(self.with_follow(self.follow.with_domains(seed_domains).with_seeds(seeds, blocks)))
    }

    /// The replacement for this extractor after a reload: with more seeds, and with another block list.
    pub(super) fn successor(&self, seeds: &[CanonicalUrl], blocks: BlockList) -> Self {
        self.with_follow(self.follow.with_seeds(seeds, blocks))
    }

    fn with_follow(&self, follow: FollowRules) -> Self {
        let follow = Arc::new(follow);
        Self {
            pages: self.pages.with_follow(&follow),
            sitemaps: self.sitemaps.with_follow(&follow),
            follow,
            ..self.clone()
        }
    }

    /// Returns the next step of the redirect chain of a page or sitemap; `None` when the visit ends with this
    /// response. The chain keeps the record of the requested URL.
    pub(super) fn next_in_chain(
        &self,
        entry: &QueueEntry,
        requested: &CanonicalUrl,
        response: &Response,
        chain: Option<&RedirectChain>,
    ) -> Option<RedirectChain> {
        self.pages.next_in_chain(entry, requested, response, chain)
    }

    /// Extracts the completion of a queued URL. The reservation grows with the memory that this takes.
    pub(super) fn extract(&self, response: FinalResponse, reservation: &mut Reservation) -> Completion {
        match response.entry.target {
            Target::Page => self.pages.extract(response, reservation),
            Target::Sitemap(_) => self.sitemaps.extract(response.entry, &response.outcome, reservation),
        }
    }

    /// Returns entries for the sitemaps that the robots.txt of this URL's host declares, and renews the quota
    /// of the host.
    pub(super) fn declared_sitemaps(&self, robots: &RobotsCache, url: &CanonicalUrl) -> Vec<DiscoveredUrl> {
        self.sitemaps.declared(robots, url)
    }
}
