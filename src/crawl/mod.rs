//! The crawl: frontier ↔ fetch → parse → store, until there is nothing left or it is told to stop.
//!
//! ```text
//!  loop (a thread)            tasks (tokio)         jobs (a pool)        writer (a thread)
//!  frontier: what, when ────► one fetch each ─────► decode, parse ─────► one commit for many records
//!      ▲                         │ turn ended                               │ stored, newly queued
//!      └─────────────────────────┴──────────────────────────────────────────┘
//! ```
//!
//! In: seeds, and what an earlier crawl left in the queue. Out: page records in the store. A URL leaves the queue
//! in the batch that stores its record, so whatever stops the crawl, the next one goes on where it was. The loop
//! hands out no more than `crawl.fetchers` turns at once, and no more than that and `crawl.store_queue` together
//! that are not stored yet, and what they bring, from the wire on, takes `crawl.memory_bytes` at most; that bounds the
//! memory whatever is slow.
//!
//! It does not rank and it serves nothing.

mod allowance;
mod archive;
mod backlog;
mod chain;
mod challenge;
mod desk;
mod disk;
mod failures;
mod maps;
mod messages;
mod progress;
mod reading;
mod scheduler;
mod shelf;
mod sweep;
mod troubles;
mod turns;
mod unstored;
mod want;
mod writer;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::{Config, CrawlConfig};
use crate::fetch::{FetchError, Fetcher, Memory, RobotsCache};
use crate::frontier::{Backlog, BlockList, BlockListError, QueueName, RecrawlRules, Standing, due_visit};
use crate::geo::{Geo, GeoError};
use crate::lru::Lru;
use crate::model::{HostRecord, StoredPage};
use crate::store::{BLOCKS_FILE, Store, StoreError};
use crate::urls::{CanonicalUrl, UrlRules};
use crate::warc::WarcError;

pub use disk::{LowDisk, too_little_room};
pub use failures::{FailureCount, FailureExample, Resource};
pub use progress::{Figures, Progress};

use allowance::Allowances;
use backlog::StoreBacklog;

/// Why a crawl cannot start or go on.
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
    /// Only of a crawl that runs forever.
    #[error("the index takes no more writes until it is opened anew: {0}")]
    Reopen(StoreError),
    #[error("a thread of the crawl could not be started: {0}")]
    Thread(std::io::Error),
    #[error("the threads that parse could not be started: {0}")]
    Pool(#[from] rayon::ThreadPoolBuildError),
    #[error("a thread of the crawl ended before its time; the log tells why")]
    Broken,
}

/// What a crawl is asked to do.
#[derive(Clone, Debug, Default)]
pub struct CrawlJob {
    pub seeds: Vec<CanonicalUrl>,
    /// Seeds that are visited already, or queued.
    pub former_seeds: Vec<CanonicalUrl>,
    /// Page fetches at most.
    pub max_pages: Option<u64>,
    /// Time at most; what is under way then is finished.
    pub max_time: Option<Duration>,
    /// Whether to wait for pages to fall due instead of ending when there is nothing left.
    pub forever: bool,
}

/// Everything a crawl works with. Reusable: [`Self::run`] may be called again and again.
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
    /// What the loop has not taken in yet.
    reload: Mutex<Option<Reload>>,
    copies: Arc<Mutex<Lru<u64, u32>>>,
    allowances: Arc<Allowances>,
    /// Decodes and parses, so that nothing else can be in its way.
    parsers: Arc<rayon::ThreadPool>,
    /// For what answers bring.
    memory: Memory,
}

/// What a running crawl is given anew.
#[derive(Clone, Debug, Default)]
pub struct Reload {
    /// Visited as if the crawl began with them, and the former.
    pub seeds: Vec<CanonicalUrl>,
    /// In the place of the former block list.
    pub blocks: BlockList,
}

/// What a URL's queue and its registrable domain have had, and what they may have.
///
/// # Errors
/// [`StoreError`] when the database fails or a record is damaged.
pub fn standing(
    store: &Arc<Store>,
    config: &CrawlConfig,
    url: &CanonicalUrl,
) -> Result<Standing, StoreError> {
    StoreBacklog::new(store, config).standing(&QueueName::of(url), url)
}

/// Until which Unix time a host is left alone, if it is at `now`. A time further away than a crawl puts a host to
/// sleep for was stored while the clock or the configuration was another: nobody sleeps until then.
pub fn asleep_until(config: &Config, host: &HostRecord, now: u64) -> Option<u64> {
    let Config { crawl, robots, .. } = config;
    let longest = crawl.dead_host_retry.0.max(robots.retry_after.0).max(robots.max_age.0).as_secs();
    (now < host.asleep_until && host.asleep_until - now <= longest).then_some(host.asleep_until)
}

/// When a page is visited next, whatever clock or former configuration planned it: see [`due_visit`].
pub fn next_visit(config: &Config, page: &StoredPage, now: u64) -> u64 {
    due_visit(page.next_visit, page.visited, recrawl_rules(config).longest(), now)
}

impl Crawler {
    /// # Errors
    /// [`CrawlError`] when a file that the configuration names cannot be used, or a thread cannot be started.
    pub fn new(store: Arc<Store>, config: &Config, rules: UrlRules) -> Result<Self, CrawlError> {
        let CrawlConfig { fetchers, slow_fetchers, store_queue, memory_bytes, .. } = config.crawl;
        let memory = Memory::new(memory_bytes, fetchers + slow_fetchers + store_queue);
        let fetcher = Arc::new(Fetcher::within(&config.fetch, memory.clone())?);
        let shelf = Arc::new(shelf::StoreShelf(Arc::clone(&store)));
        let robots =
            Arc::new(RobotsCache::new(Arc::clone(&fetcher), &config.robots, rules.clone(), Some(shelf)));
        let geo = Arc::new(Geo::open(&config.geo)?);
        if !geo.knows_places() {
            tracing::warn!("geo.database is not set: countries and cities of servers stay empty");
        }
        store.set_seen_cache(config.crawl.seen_cache_urls);
        let recrawl = recrawl_rules(config);
        store.set_recrawl(recrawl);
        let own_blocks = store.directory().join(BLOCKS_FILE);
        let (blocks, bad) = BlockList::read_both(&config.crawl.block_list, &own_blocks)?;
        bad.iter().for_each(|error| tracing::warn!(%error, "a line is skipped"));
        let blocks = Mutex::new(blocks);
        let copies = Arc::new(Mutex::new(Lru::new(config.traps.duplicates_remembered)));
        let (progress, reload) = (Arc::new(Progress::default()), Mutex::default());
        let (allowances, config) = (Arc::new(Allowances::new(config)), config.clone());
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
            copies,
            allowances,
            parsers,
            memory,
        })
    }

    /// Goes on with the figures of a crawler before it.
    #[must_use]
    pub fn with_progress(self, progress: Arc<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Gives a running crawl new seeds and another block list; taken in within a second.
    pub fn reload(&self, reload: Reload) {
        let mut waiting = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        // The seeds of an earlier one that was not taken in yet are to be visited too.
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

    /// Figures that move while a crawl runs.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Crawls until the job is done or `stop` is set. Blocks; `runtime` runs the fetches.
    ///
    /// # Errors
    /// [`CrawlError`] when the store fails: the crawl cannot keep what it fetches then.
    pub fn run(
        &self,
        job: &CrawlJob,
        runtime: &tokio::runtime::Handle,
        stop: &AtomicBool,
    ) -> Result<Figures, CrawlError> {
        scheduler::run(self, job, runtime, stop)
    }
}

/// A first interval below the least one is meant: it is the least one then.
fn recrawl_rules(config: &Config) -> RecrawlRules {
    let crawl = &config.crawl;
    RecrawlRules {
        first: crawl.recrawl_after.0,
        min: crawl.recrawl_min.0.min(crawl.recrawl_after.0),
        max: crawl.recrawl_max.0,
    }
}
