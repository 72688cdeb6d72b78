//! Memory of a crawl with a hundred million known URLs, all of them queued: `cargo bench --bench main -- known-urls`.
//! The case takes 15 minutes and some GB of disk in the folder for temporary files (`TMPDIR`), so it runs only on
//! request by that name.
//!
//! The URLs, 100 on each host, enter the store as those of crawled pages do, in the most scattered order. Then a crawl
//! with the default configuration runs for three minutes. Its hosts refuse connections, so that it holds as many of
//! them in memory as it may. `KNOWN_URLS` sets another number of URLs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use backlinkd::config::Config;
use backlinkd::crawl::{CrawlJob, Crawler};
use backlinkd::model::DiscoveredUrl;
use backlinkd::store::{Commit, Store};
use backlinkd::urls::{Suffixes, UrlRules};

use super::memory;

const KNOWN: u64 = 100_000_000;
const URLS_PER_HOST: u64 = 100;
const HOSTS_PER_DOMAIN: u64 = 5;
/// Discovered URLs in one commit.
const COMMIT: u64 = 10_000;
const CRAWL: Duration = Duration::from_secs(180);

/// Runs the case if an argument names it; returns whether one did.
pub fn was_asked_for() -> bool {
    let asked = std::env::args().any(|argument| argument == "known-urls");
    if asked {
        run();
    }
    asked
}

fn run() {
    let known = std::env::var("KNOWN_URLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KNOWN);
    let folder = tempfile::tempdir().unwrap();
    let overrides = folder.path().join("overrides.tsv");
    std::fs::write(&overrides, "*.test\t127.0.0.1:1\t127.0.0.1:1\n").unwrap();
    let mut config = Config::default();
    config.fetch.host_overrides = overrides;
    config.fetch.allow_private_addresses = vec!["127.0.0.0/8".parse().unwrap()];
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    let store = Arc::new(Store::open(&folder.path().join("data"), &config.store, suffixes).unwrap());
    // As in a crawl, with its cache of recently discovered URLs.
    let crawler = Crawler::new(Arc::clone(&store), &config, UrlRules::default()).unwrap();
    meet(&store, known, config.crawl.met_urls);
    println!("resident {}, at most {}", memory("VmRSS"), memory("VmHWM"));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let job = CrawlJob { max_time: Some(CRAWL), forever: true, ..CrawlJob::default() };
    let (progress, most) = (crawler.progress(), config.crawl.hosts_in_memory);
    crawler.run(&job, runtime.handle(), &AtomicBool::new(false)).unwrap();
    println!(
        "a crawl of {CRAWL:?} with {} of at most {most} hosts in memory: resident {}, at most {}",
        progress.figures().queues,
        memory("VmRSS"),
        memory("VmHWM")
    );
}

fn meet(store: &Store, known: u64, most_met: usize) {
    let (rules, hosts) = (UrlRules::default(), known.div_ceil(URLS_PER_HOST));
    let url = |number: u64| {
        let (host, page) = (number % hosts, number / hosts);
        rules.canonical(&format!("http://h{host}.d{}.test/page/{page}", host / HOSTS_PER_DOMAIN)).unwrap()
    };
    let start = Instant::now();
    for first in (0..known).step_by(COMMIT as usize) {
        let found =
            (first..(first + COMMIT).min(known)).map(|number| DiscoveredUrl::page(url(number), 1)).collect();
        store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
        if store.unmerged_urls() >= most_met {
            store.merge_discovered().unwrap();
        }
        if (first + COMMIT).is_multiple_of((known / 10).max(1)) {
            println!("{} URLs after {:.0?}", first + COMMIT, start.elapsed());
        }
    }
    store.merge_discovered().unwrap();
    let each = start.elapsed().as_secs_f64() * 1e6 / known as f64;
    println!(
        "{} URLs of {hosts} hosts known and queued, {each:.2} µs each, all of it included",
        store.seen_urls()
    );
}
