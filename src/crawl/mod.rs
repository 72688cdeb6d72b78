//! The crawl: frontier ↔ fetch → parse → store, until there is no work left or the caller stops it.
//!
//! ```text
//!  loop (a thread)            tasks (tokio)         jobs (a pool)        writer (a thread)
//!  frontier: what, when ────► one fetch each ─────► decode, parse ─────► one commit for many records
//!      ▲                         │ fetch ended                              │ committed, newly queued
//!      └─────────────────────────┴──────────────────────────────────────────┘
//! ```
//!
//! The input is the seeds, and what an earlier crawl left in the queue. The output is page records in the
//! store. A URL leaves the queue in the commit that stores its record. So the next crawl continues at the
//! same point, whatever stops this one.
//!
//! Memory is bounded, whichever part is slow. The loop has at most `crawl.fetchers` fetches in flight. URLs
//! in flight and records that wait for the writer are at most `crawl.fetchers` plus `crawl.store_queue`.
//! Responses, from the wire to the commit, take at most `crawl.memory_bytes`.
//!
//! Where to look: `run` starts and ends a crawl. `event_loop` is the loop, with `dispatch` (starting
//! fetches), `events` (their ends) and `queue_scan` (queues on disk). `process` archives and parses a
//! response, `extract` holds the rules, `writer` commits. `backoff` has all reasons to wait.
//!
//! This module neither ranks nor serves.

mod adapters;
mod archive;
mod backoff;
mod dispatch;
mod event_loop;
mod events;
mod extract;
mod failures;
mod messages;
mod process;
mod progress;
mod queue_scan;
mod run;
mod timing;
mod walls;
mod writer;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::{Config, CrawlConfig};
use crate::fetch::{FetchError, Fetcher, MemoryBudget, RobotsCache};
use crate::geo::{Geo, GeoError};
use crate::lru::Lru;
use crate::policy::{BlockList, BlockListError, RecrawlRules};
use crate::store::{BLOCKS_FILE, Store, StoreError};
use crate::urls::{CanonicalUrl, UrlRules};
use crate::warc::WarcError;

pub use failures::{FailureCount, FailureExample, Resource};
pub use progress::{Figures, Progress};

use adapters::robots_store::RobotsAdapter;
use extract::sitemap_quota::SitemapQuotas;

/// Why a crawl cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Geo(#[from] GeoError),
    #[error(transparent)]
    Blocks(#[from] BlockListError),
    #[error(transparent)]
    Warc(#[from] WarcError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Only a crawl that runs forever returns it.
    #[error("the index takes no writes until it is reopened: {0}")]
    Reopen(StoreError),
    #[error("a thread of the crawl could not be started: {0}")]
    Thread(std::io::Error),
    #[error("the parser threads could not be started: {0}")]
    Pool(#[from] rayon::ThreadPoolBuildError),
    #[error("a thread of the crawl ended early; the log has the reason")]
    Broken,
}

/// The task of a crawl.
#[derive(Clone, Debug, Default)]
pub struct CrawlJob {
    pub seeds: Vec<CanonicalUrl>,
    /// Seeds that are visited already, or queued.
    pub former_seeds: Vec<CanonicalUrl>,
    /// The limit of page fetches.
    pub max_pages: Option<u64>,
    /// The time limit. Fetches in flight at its end are finished.
    pub max_time: Option<Duration>,
    /// Whether to wait for pages that fall due, instead of ending when there is no work.
    pub forever: bool,
}

/// All parts of a crawl. It is reusable: [`Self::run`] may be called repeatedly.
pub struct Crawler {
    store: Arc<Store>,
    config: Config,
    rules: UrlRules,
    fetcher: Arc<Fetcher>,
    robots: Arc<RobotsCache>,
    geo: Arc<Geo>,
    progress: Arc<Progress>,
    recrawl: RecrawlRules,
    /// Hosts that are not fetched.
    blocks: Mutex<BlockList>,
    /// The reload that the loop has yet to apply.
    reload: Mutex<Option<Reload>>,
    duplicate_counts: Arc<Mutex<Lru<u64, u32>>>,
    sitemap_quotas: Arc<SitemapQuotas>,
    /// Decodes and parses, on threads that do nothing else.
    parsers: Arc<rayon::ThreadPool>,
    /// The memory budget of responses.
    memory: MemoryBudget,
}

/// New settings for a running crawl.
#[derive(Clone, Debug, Default)]
pub struct Reload {
    /// Visited as if the crawl had started with them, in addition to the former ones.
    pub seeds: Vec<CanonicalUrl>,
    /// Replaces the former block list.
    pub blocks: BlockList,
}

impl Crawler {
    /// # Errors
    /// [`CrawlError`] when a file of the configuration cannot be used, or a thread cannot be started.
    pub fn new(store: Arc<Store>, config: &Config, rules: UrlRules) -> Result<Self, CrawlError> {
        let CrawlConfig { fetchers, slow_fetchers, store_queue, memory_bytes, .. } = config.crawl;
        let memory = MemoryBudget::new(memory_bytes, fetchers + slow_fetchers + store_queue);
        let fetcher = Arc::new(Fetcher::within(&config.fetch, memory.clone())?);
        let robots_store = Arc::new(RobotsAdapter(Arc::clone(&store)));
        let robots = Arc::new(RobotsCache::new(
            Arc::clone(&fetcher),
            &config.robots,
            rules.clone(),
            Some(robots_store),
        ));
        let geo = Arc::new(Geo::open(&config.geo)?);
        if !geo.knows_places() {
            tracing::warn!("geo.database is not set: countries and cities of servers stay empty");
        }
        store.set_seen_cache(config.crawl.seen_cache_urls);
        let recrawl = RecrawlRules::new(&config.crawl);
        store.set_recrawl(recrawl);
        let own_blocks = store.directory().join(BLOCKS_FILE);
        let (blocks, bad) = BlockList::read_both(&config.crawl.block_list, &own_blocks)?;
        bad.iter().for_each(|error| tracing::warn!(%error, "a line is skipped"));
        let blocks = Mutex::new(blocks);
        let duplicate_counts = Arc::new(Mutex::new(Lru::new(config.traps.duplicates_remembered)));
        let (progress, reload) = (Arc::new(Progress::default()), Mutex::default());
        let (sitemap_quotas, config) = (Arc::new(SitemapQuotas::new(config)), config.clone());
        let parsers = rayon::ThreadPoolBuilder::new()
            .num_threads(config.crawl.parse_threads)
            .thread_name(|number| format!("parse-{number}"))
            .build()?;
        let parsers = Arc::new(parsers);
        Ok(Self {
            store,
            config,
            rules,
            fetcher,
            robots,
            geo,
            progress,
            recrawl,
            blocks,
            reload,
            duplicate_counts,
            sitemap_quotas,
            parsers,
            memory,
        })
    }

    /// Continues the counters of an earlier crawler.
    #[must_use]
    pub fn with_progress(self, progress: Arc<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Gives a running crawl new seeds and another block list. The loop applies them within a second.
    pub fn reload(&self, reload: Reload) {
        let mut waiting = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        // An earlier reload that was not applied yet keeps its seeds.
        let mut seeds = waiting.take().map_or_else(Vec::new, |earlier| earlier.seeds);
        seeds.extend(reload.seeds);
        *waiting = Some(Reload { seeds, ..reload });
    }

    fn take_reload(&self) -> Option<Reload> {
        self.reload.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn blocks(&self) -> BlockList {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_blocks(&self, blocks: BlockList) {
        *self.blocks.lock().unwrap_or_else(PoisonError::into_inner) = blocks;
    }

    /// Counters and gauges that change while a crawl runs.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Crawls until the job is done or `stop` is set. Blocks; `runtime` runs the fetches.
    ///
    /// # Errors
    /// [`CrawlError`] when the store fails, because the crawl cannot store what it fetches then.
    pub fn run(
        &self,
        job: &CrawlJob,
        runtime: &tokio::runtime::Handle,
        stop: &AtomicBool,
    ) -> Result<Figures, CrawlError> {
        run::run(self, job, runtime, stop)
    }
}
