//! `[crawl]`: how much is fetched, how fast, and in what order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlConfig {
    /// Fetches under way at once, over all hosts.
    pub fetchers: usize,
    /// Fetches beyond, of those that take longer than `slow_after`.
    pub slow_fetchers: usize,
    /// How long a fetch, or a resolution, may take before it is slow.
    pub slow_after: Span,
    /// Host names being resolved at once, besides the fetches.
    pub resolvers: usize,
    /// Pause between two fetches of one host, and of one address, counted from the end of the first.
    pub delay: Span,
    /// Largest `Crawl-delay` of a robots.txt that is honoured.
    pub max_crawl_delay: Span,
    /// Links followed from a seed at most; deeper URLs are known as targets but not fetched.
    pub max_depth: u16,
    /// Which URLs are fetched first.
    pub order: CrawlOrder,
    /// New pages fetched of a host, before links from other domains count.
    pub host_pages: u64,
    /// The same of a registrable domain with all its hosts.
    pub domain_pages: u64,
    /// Hosts of a registrable domain that are fetched from, before links from other domains count.
    pub domain_hosts: u64,
    /// New pages more of a host, and of a registrable domain, for each other domain that links to it.
    pub pages_per_linking_domain: u64,
    /// Hosts more of a registrable domain for each other domain that links to it.
    pub hosts_per_linking_domain: u64,
    /// New pages fetched of a host at most, however many link to it.
    pub max_pages_per_host: u64,
    /// Whether only hosts of the seeds' registrable domains are crawled.
    pub stay_on_seed_domains: bool,
    /// File of hosts and domains that are not fetched. Empty: none.
    pub block_list: PathBuf,
    /// Folder of WARC files of what is fetched. Empty: none are written.
    pub warc_dir: PathBuf,
    /// Bytes from which on a WARC file is full.
    pub warc_max_bytes: u64,
    /// Queued URLs of one host that are held in memory, of each lane; the rest wait on disk.
    pub host_queue_in_memory: usize,
    /// Hosts with work that are held in memory; the rest wait on disk.
    pub hosts_in_memory: usize,
    /// URLs met that wait to be held against all known ones at once.
    pub met_urls: usize,
    /// URLs whose presence is remembered in memory, so that most repeats cost no look-up on disk.
    pub seen_cache_urls: usize,
    /// Visits of one URL that may fail before it is given up.
    pub max_attempts: u32,
    /// Pause after the first failure of a host; it doubles with each further one.
    pub retry_delay: Span,
    /// For how long a host is given up that cannot be found or has failed too often in a row.
    pub dead_host_retry: Span,
    /// Time that fetches under way get to finish when the crawl is told to stop.
    pub drain: Span,
    /// Time from a page's first visit to its second.
    pub recrawl_after: Span,
    /// Time between two visits of one page at least, however often it changes.
    pub recrawl_min: Span,
    /// Time between two visits of one page at most, however seldom it changes.
    pub recrawl_max: Span,
    /// Free bytes of the disks of the index and of the WARC files below which no pages are fetched.
    pub min_free_disk_bytes: u64,
    /// Threads that decode and parse. 0: one per core.
    pub parse_threads: usize,
    /// Pages parsed but not yet stored that may wait; fetching pauses beyond.
    pub store_queue: usize,
    /// Bytes that answers take, from the wire until they are stored.
    pub memory_bytes: usize,
}

/// Which URLs are fetched first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrawlOrder {
    /// Those that are fewest links away from a seed; hosts in turn.
    #[default]
    Breadth,
    /// Those with the most rank, as far as it is known; hosts that the most domains link to.
    Rank,
}

impl Default for CrawlConfig {
    fn default() -> Self {
        Self {
            fetchers: 64,
            slow_fetchers: 1_000,
            slow_after: Span::seconds(2),
            resolvers: 32,
            delay: Span::seconds(1),
            max_crawl_delay: Span::seconds(60),
            max_depth: 50,
            order: CrawlOrder::Breadth,
            host_pages: 20_000,
            domain_pages: 50_000,
            domain_hosts: 1_000,
            pages_per_linking_domain: 2_000,
            hosts_per_linking_domain: 50,
            max_pages_per_host: 1_000_000,
            stay_on_seed_domains: false,
            block_list: PathBuf::new(),
            warc_dir: PathBuf::new(),
            warc_max_bytes: 1 << 30,
            host_queue_in_memory: 256,
            hosts_in_memory: 500_000,
            met_urls: 1_000_000,
            seen_cache_urls: 4_000_000,
            max_attempts: 3,
            retry_delay: Span::seconds(10),
            dead_host_retry: Span::seconds(86_400),
            drain: Span::seconds(10),
            recrawl_after: Span::seconds(7 * 86_400),
            recrawl_min: Span::seconds(86_400),
            recrawl_max: Span::seconds(90 * 86_400),
            min_free_disk_bytes: 2 << 30,
            parse_threads: 0,
            store_queue: 64,
            memory_bytes: 64 << 20,
        }
    }
}

impl CrawlConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("crawl.fetchers", self.fetchers as u64, 1)?;
        at_least("crawl.slow_fetchers", self.slow_fetchers as u64, 1)?;
        at_least("crawl.slow_after in milliseconds", self.slow_after.0.as_millis() as u64, 1)?;
        at_least("crawl.warc_max_bytes", self.warc_max_bytes, 1 << 20)?;
        at_least("crawl.resolvers", self.resolvers as u64, 1)?;
        at_least("crawl.max_pages_per_host", self.max_pages_per_host, 1)?;
        at_least("crawl.host_pages", self.host_pages, 1)?;
        at_least("crawl.domain_pages", self.domain_pages, 1)?;
        at_least("crawl.domain_hosts", self.domain_hosts, 1)?;
        at_least("crawl.hosts_in_memory", self.hosts_in_memory as u64, 100)?;
        at_least("crawl.met_urls", self.met_urls as u64, 1_000)?;
        if self.recrawl_max < self.recrawl_after {
            return Err(format!(
                "crawl.recrawl_max is {}; it must be at least crawl.recrawl_after, which is {}",
                self.recrawl_max, self.recrawl_after
            ));
        }
        at_least("crawl.host_queue_in_memory", self.host_queue_in_memory as u64, 1)?;
        at_least("crawl.seen_cache_urls", self.seen_cache_urls as u64, 1_000)?;
        at_least("crawl.max_attempts", u64::from(self.max_attempts), 1)?;
        at_least("crawl.store_queue", self.store_queue as u64, 1)?;
        at_least("crawl.memory_bytes", self.memory_bytes as u64, 4 << 20)
    }
}
