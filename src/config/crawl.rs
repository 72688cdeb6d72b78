//! `[crawl]`: how much is fetched, how fast, and in what order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlConfig {
    /// Fetches in flight at once, over all hosts.
    pub fetchers: usize,
    /// Slow fetches in flight at once, in addition: those that take longer than `slow_after`.
    pub slow_fetchers: usize,
    /// Time after which a fetch or a resolution counts as slow.
    pub slow_after: Span,
    /// Host names resolved at once, in addition to the fetches.
    pub resolvers: usize,
    /// Delay between two fetches of one host, and of one address, counted from the end of the first.
    pub delay: Span,
    /// Largest `Crawl-delay` of a robots.txt that is honoured.
    pub max_crawl_delay: Span,
    /// Links followed from a seed at most; deeper URLs are known as targets but not fetched.
    pub max_depth: u16,
    /// Order in which URLs are fetched.
    pub order: CrawlOrder,
    /// New pages fetched of a host before links from other domains raise the limit.
    pub host_pages: u64,
    /// New pages fetched of a registrable domain with all its hosts, likewise.
    pub domain_pages: u64,
    /// Hosts of a registrable domain that are fetched from, before links from other domains raise the limit.
    pub domain_hosts: u64,
    /// New pages added to the limit of a host and of a registrable domain for each other domain that links to it.
    pub pages_per_linking_domain: u64,
    /// Hosts added to the limit of a registrable domain for each other domain that links to it.
    pub hosts_per_linking_domain: u64,
    /// New pages fetched of a host at most, regardless of the number of domains that link to it.
    pub max_pages_per_host: u64,
    /// Whether only hosts of the seeds' registrable domains are crawled.
    pub stay_on_seed_domains: bool,
    /// File of hosts and domains that are not fetched. Empty: none.
    pub block_list: PathBuf,
    /// Folder of WARC files of all requests and responses. Empty: no WARC files.
    pub warc_dir: PathBuf,
    /// Bytes after which a WARC file is full.
    pub warc_max_bytes: u64,
    /// Queued URLs of one host that are held in memory, of each lane; the rest wait on disk.
    pub host_queue_in_memory: usize,
    /// Hosts with queued URLs that are held in memory; the rest wait on disk.
    pub hosts_in_memory: usize,
    /// Discovered URLs that wait at most before all of them are checked against the known URLs in one pass.
    pub met_urls: usize,
    /// URLs that are remembered as known in memory, so that most repeated URLs need no lookup on disk.
    pub seen_cache_urls: usize,
    /// Failed visits of one URL after which it is given up.
    pub max_attempts: u32,
    /// Delay after the first failure of a host; it doubles with each further one.
    pub retry_delay: Span,
    /// Time for which a host is given up that has no address or has failed too often in a row.
    pub dead_host_retry: Span,
    /// Time that fetches in flight get to finish when the crawl stops.
    pub drain: Span,
    /// Time from a page's first visit to its second.
    pub recrawl_after: Span,
    /// Time between two visits of one page at least, however often the page changes.
    pub recrawl_min: Span,
    /// Time between two visits of one page at most, however seldom the page changes.
    pub recrawl_max: Span,
    /// Free bytes on the disks of the index and of the WARC files below which fetching pauses.
    pub min_free_disk_bytes: u64,
    /// Threads that decode and parse. 0: one per core.
    pub parse_threads: usize,
    /// Parsed pages that may wait for the store; fetching pauses beyond.
    pub store_queue: usize,
    /// Bytes of memory for responses, from the network until they are stored.
    pub memory_bytes: usize,
    /// Failed requests that `/crawl/errors` shows at most.
    pub recent_failures: usize,
}

/// Order in which URLs are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrawlOrder {
    /// URLs with the fewest links from a seed first; hosts in turn.
    #[default]
    Breadth,
    /// URLs with the highest known rank first; hosts that the most domains link to first.
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
            recent_failures: 200,
        }
    }
}

impl CrawlConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("crawl.fetchers", self.fetchers as u64, 1)?;
        at_least("crawl.slow_fetchers", self.slow_fetchers as u64, 1)?;
        at_least("crawl.slow_after in milliseconds", self.slow_after.as_millis(), 1)?;
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
