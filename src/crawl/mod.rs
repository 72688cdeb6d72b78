//! The crawl: frontier ↔ fetch → parse → store, until there is no work left or the caller stops it.
//!
//! ```text
//!  loop (a thread)            tasks (tokio)         jobs (a pool)        writer (a thread)
//!  frontier: what, when ────► one fetch each ─────► decode, parse ─────► one commit for many records
//!      ▲                         │ fetch ended                              │ committed, newly queued
//!      └─────────────────────────┴──────────────────────────────────────────┘
//! ```
//!
//! The input is the seeds, and what an earlier crawl left in the queue. The output is visit records in the
//! store. A URL leaves the queue in the commit that stores its record. So the next crawl continues at the
//! same point, whatever stops this one.
//!
//! Memory is bounded, whichever part is slow. The loop has at most `crawl.fetchers` plus
//! `crawl.slow_fetchers` fetches in flight. URLs in flight and records that wait for the writer are at most
//! these plus `crawl.store_queue`. Responses, from the wire to the commit, take at most `crawl.memory_bytes`.
//!
//! Where to look: `run` starts and ends a crawl. `event_loop` is the loop, with `url_check` (may a URL be
//! fetched), `dispatch` (starting fetches), `host_events` (their ends) and `queue_scan` (queues on disk).
//! `process` archives and parses a response, `extract` holds the rules, `writer` commits. `backoff` has all
//! reasons to wait. `messages` are the messages between the threads. `walls` follows redirect chains within a
//! visit; `url_check` keeps them between requests. `adapters` reads queues and budgets for the frontier.
//! `archive` has the WARC files, `failures` with `failure_log` the failed requests. `progress` with `page_rates`
//! has the counters. `state` is the state for operators, with their pause; `timing` has the constants.
//!
//! This module neither ranks nor serves.

mod adapters;
mod archive;
mod backoff;
mod event_loop;
mod extract;
mod failure_log;
mod failures;
mod messages;
mod page_rates;
mod process;
mod progress;
mod run;
mod state;
mod timing;
mod walls;
mod writer;

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{Config, CrawlConfig, FetchConfig, GeoConfig, RobotsConfig, StoreConfig};
use crate::fetch::{FetchError, Fetcher, MemoryBudget, RobotsCache};
use crate::frontier::FrontierRules;
use crate::geo::{DatabaseSummary, Geo, GeoError, PlaceSchema};
use crate::model::DiscoveredUrl;
use crate::policy::{BlockList, BlockListError, RevisitRules, max_stored_backoff};
use crate::store::{BLOCKS_FILE, Store, StoreError};
use crate::urls::{CanonicalUrl, UrlRules};
use crate::warc::WarcError;

pub use failure_log::RecentFailure;
pub use failures::{FailureCount, FailureExample, Resource};
pub use progress::{Figures, Progress, STATUS_CLASSES};
pub use state::{CrawlState, PauseCause};

use adapters::backlog::StoreBacklog;
use adapters::robots_store::RobotsAdapter;
use archive::Archive;
use backoff::host::HostBackoffs;
use backoff::store::StoreBackoff;
use event_loop::{CrawlLimits, Dispatcher, HostEventHandler, QueueScan, UrlCheck};
use extract::Extractor;
use messages::LoopEvent;
use process::ResponseProcessor;
use timing::MIN_RESIDENCY;
use writer::StoreWriter;
use writer::link::WriterSender;

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
    crawl_config: CrawlConfig,
    fetch_config: FetchConfig,
    robots_config: RobotsConfig,
    store_config: StoreConfig,
    max_sitemap_bytes: usize,
    fetcher: Arc<Fetcher>,
    robots: Arc<RobotsCache>,
    progress: Arc<Progress>,
    revisit_rules: RevisitRules,
    /// Hosts that are not fetched.
    blocks: Mutex<BlockList>,
    /// The reload that the loop has yet to apply.
    reload: Mutex<Option<Reload>>,
    /// The visits that the loop has yet to queue.
    visits: Mutex<Vec<DiscoveredUrl>>,
    /// The extractor of a crawl without seeds. Its copies share the counts of duplicates, and the quotas of
    /// sitemaps.
    extractor: Extractor,
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
        let fetcher = Arc::new(Fetcher::with_memory(&config.fetch, memory.clone())?);
        let robots_store = Arc::new(RobotsAdapter::new(&store));
        let robots = Arc::new(RobotsCache::new(
            Arc::clone(&fetcher),
            &config.robots,
            rules.clone(),
            Some(robots_store),
        ));
        let geo = open_geo(&config.geo)?;
        store.set_seen_cache(config.crawl.seen_cache_urls);
        let revisit_rules = RevisitRules::new(&config.crawl);
        store.set_revisit_rules(revisit_rules);
        let blocks = read_blocks(&store, &config.crawl)?;
        let progress = Arc::new(Progress::new(config.crawl.recent_failures));
        let extractor = Extractor::new(&store, config, &rules, &geo, &progress);
        let parsers = rayon::ThreadPoolBuilder::new()
            .num_threads(config.crawl.parse_threads)
            .thread_name(|number| format!("parse-{number}"))
            .build()?;
        Ok(Self {
            store,
            crawl_config: config.crawl.clone(),
            fetch_config: config.fetch.clone(),
            robots_config: config.robots.clone(),
            store_config: config.store.clone(),
            max_sitemap_bytes: config.sitemaps.max_bytes,
            fetcher,
            robots,
            progress,
            revisit_rules,
            blocks: Mutex::new(blocks),
            reload: Mutex::default(),
            visits: Mutex::default(),
            extractor,
            parsers: Arc::new(parsers),
            memory,
        })
    }

    /// Continues the counters of an earlier crawler.
    #[must_use]
    pub fn with_progress(self, progress: Arc<Progress>) -> Self {
        Self { extractor: self.extractor.with_progress(&progress), progress, ..self }
    }

    /// Gives a running crawl new seeds and another block list. The loop applies them within a second.
    pub fn reload(&self, reload: Reload) {
        let mut waiting = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        // An earlier reload that was not applied yet keeps its seeds.
        let mut seeds = waiting.take().map_or_else(Vec::new, |earlier| earlier.seeds);
        seeds.extend(reload.seeds);
        *waiting = Some(Reload { seeds, ..reload });
    }

    /// Takes the reload that the loop has yet to apply. Later crawls use its block list too.
    fn take_reload(&self) -> Option<Reload> {
        let reload = self.reload.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        *self.blocks.lock().unwrap_or_else(PoisonError::into_inner) = reload.blocks.clone();
        Some(reload)
    }

    /// Gives a running crawl URLs to visit again, beyond its schedule. The loop queues them within a second.
    pub fn request_visits(&self, visits: impl IntoIterator<Item = DiscoveredUrl>) {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).extend(visits);
    }

    /// Takes the visits that the loop has yet to queue.
    fn take_visits(&self) -> Vec<DiscoveredUrl> {
        std::mem::take(&mut *self.visits.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pauses the crawl, or ends this pause. Returns whether that changes anything. A paused crawl starts no fetch and
    /// finishes those in flight. The pause ends with the process.
    pub fn set_paused(&self, is_paused: bool) -> bool {
        self.progress.state.set_paused_by_operator(is_paused)
    }

    fn blocks(&self) -> BlockList {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

fn open_geo(config: &GeoConfig) -> Result<Arc<Geo>, GeoError> {
    let geo = Geo::open(config)?;
    if !geo.knows_places() {
        tracing::warn!("geo.database is not set: countries and cities of servers stay empty");
    }
    if let Ok(Some(DatabaseSummary { kind, schema: schema @ PlaceSchema::Unknown(_), .. })) = geo.summary() {
        let file = config.database.display();
        tracing::warn!(
            %file, kind, "countries and cities of servers stay empty, because geo.database holds {schema}; give a \
             database of cities or countries"
        );
    }
    Ok(Arc::new(geo))
}

/// Reads the block list of the configuration, and that of the index.
fn read_blocks(store: &Store, config: &CrawlConfig) -> Result<BlockList, BlockListError> {
    let own_blocks = store.directory().join(BLOCKS_FILE);
    let (blocks, bad) = BlockList::read_both(&config.block_list, &own_blocks)?;
    bad.iter().for_each(|error| tracing::warn!(%error, "a line is skipped"));
    Ok(blocks)
}

/// Builds the parts of a run.
impl Crawler {
    fn store(&self) -> &Arc<Store> {
        &self.store
    }

    fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// How long fetches in flight may take when the crawl stops.
    fn drain_time(&self) -> Duration {
        self.crawl_config.drain.0
    }

    /// URLs dispatched and not stored yet, at most, without slow fetches.
    fn max_outstanding(&self) -> usize {
        self.crawl_config.fetchers + self.crawl_config.store_queue
    }

    fn frontier_rules(&self) -> FrontierRules {
        let crawl = &self.crawl_config;
        FrontierRules {
            fetchers: crawl.fetchers,
            slow_fetchers: crawl.slow_fetchers,
            slow_after: crawl.slow_after.0,
            resolvers: crawl.resolvers,
            lane_buffer: crawl.host_queue_in_memory,
            max_queues: crawl.hosts_in_memory,
            min_residency: MIN_RESIDENCY,
            address_ttl: self.fetch_config.dns_ttl.0,
        }
    }

    /// A crawl that runs forever treats damaged data as absent.
    fn backlog(&self, forever: bool) -> StoreBacklog {
        let backlog = StoreBacklog::new(&self.store, &self.crawl_config);
        if forever { backlog.tolerate_damage(&self.progress) } else { backlog }
    }

    fn queue_scan(&self) -> QueueScan {
        let longest = max_stored_backoff(&self.crawl_config, &self.robots_config);
        QueueScan::new(&self.store, longest, self.blocks())
    }

    fn url_check(&self) -> UrlCheck {
        UrlCheck::new(&self.store, &self.robots, self.revisit_rules, self.blocks(), &self.progress)
    }

    fn host_event_handler(&self, writer: WriterSender, forever: bool) -> HostEventHandler {
        let backoffs = HostBackoffs::new(&self.crawl_config, &self.robots_config, forever);
        HostEventHandler::new(&self.fetcher, &self.robots, writer, &self.progress, backoffs, self.blocks())
    }

    fn store_backoff(&self, forever: bool, now: Instant) -> StoreBackoff {
        StoreBackoff::new(&self.store, &self.crawl_config, &self.progress, forever, now)
    }

    fn archive(&self) -> Result<Option<Archive>, WarcError> {
        Archive::create(&self.crawl_config, &self.fetch_config, &self.fetcher)
    }

    fn processor(
        &self,
        seeds: &[CanonicalUrl],
        archive: Option<Arc<Archive>>,
        events: Sender<LoopEvent>,
        writer: WriterSender,
    ) -> Result<ResponseProcessor, StoreError> {
        let extractor = Arc::new(self.extractor.for_crawl(seeds, self.blocks())?);
        Ok(ResponseProcessor::new(extractor, archive, &self.parsers, events, writer))
    }

    fn dispatcher<'a>(
        &self,
        runtime: &'a tokio::runtime::Handle,
        processor: ResponseProcessor,
        limits: CrawlLimits,
    ) -> Dispatcher<'a> {
        let (fetcher, robots, progress) = (&self.fetcher, &self.robots, &self.progress);
        Dispatcher::new(runtime, fetcher, robots, processor, progress, self.max_sitemap_bytes, limits)
    }

    fn writer(&self) -> StoreWriter {
        StoreWriter::new(&self.store, &self.progress, &self.store_config, self.crawl_config.met_urls)
    }
}
