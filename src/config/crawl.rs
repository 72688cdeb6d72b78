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
    /// Host names being resolved at once, besides the fetches.
    pub resolvers: usize,
    /// Pause between two fetches of one host, and of one address, counted from the end of the first.
    pub delay: Span,
    /// Largest `Crawl-delay` of a robots.txt that is honoured.
    pub max_crawl_delay: Span,
    /// Links followed from a seed at most; deeper URLs are known as targets but not fetched.
    pub max_depth: u16,
    /// URLs fetched per host at most.
    pub max_pages_per_host: u64,
    /// Whether only hosts of the seeds' registrable domains are crawled.
    pub stay_on_seed_domains: bool,
    /// File of hosts and domains that are not fetched. Empty: none.
    pub block_list: PathBuf,
    /// Folder of WARC files of what is fetched. Empty: none are written.
    pub warc_dir: PathBuf,
    /// Bytes from which on a WARC file is full.
    pub warc_max_bytes: u64,
    /// Queued URLs of one host that are held in memory; the rest wait on disk.
    pub host_queue_in_memory: usize,
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
    /// A page is fetched again when its last visit is this long ago.
    pub recrawl_after: Span,
    /// Pages parsed but not yet stored that may wait; fetching pauses beyond.
    pub store_queue: usize,
}

impl Default for CrawlConfig {
    fn default() -> Self {
        Self {
            fetchers: 64,
            resolvers: 32,
            delay: Span::seconds(1),
            max_crawl_delay: Span::seconds(60),
            max_depth: 50,
            max_pages_per_host: 1_000_000,
            stay_on_seed_domains: false,
            block_list: PathBuf::new(),
            warc_dir: PathBuf::new(),
            warc_max_bytes: 1 << 30,
            host_queue_in_memory: 256,
            seen_cache_urls: 4_000_000,
            max_attempts: 3,
            retry_delay: Span::seconds(10),
            dead_host_retry: Span::seconds(86_400),
            drain: Span::seconds(10),
            recrawl_after: Span::seconds(7 * 86_400),
            store_queue: 64,
        }
    }
}

impl CrawlConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("crawl.fetchers", self.fetchers as u64, 1)?;
        at_least("crawl.warc_max_bytes", self.warc_max_bytes, 1 << 20)?;
        at_least("crawl.resolvers", self.resolvers as u64, 1)?;
        at_least("crawl.max_pages_per_host", self.max_pages_per_host, 1)?;
        at_least("crawl.host_queue_in_memory", self.host_queue_in_memory as u64, 1)?;
        at_least("crawl.seen_cache_urls", self.seen_cache_urls as u64, 1_000)?;
        at_least("crawl.max_attempts", u64::from(self.max_attempts), 1)?;
        at_least("crawl.store_queue", self.store_queue as u64, 1)
    }
}
