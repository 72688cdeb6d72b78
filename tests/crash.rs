//! The crawl killed in mid-air, again and again: what was stored stays, what was not is done again, and the end is
//! that of a crawl nobody disturbed.
//!
//! The crawler that is killed is this test binary itself, started anew for one test with an order in its
//! environment; it crawls a made web that the parent serves.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use backlinkd::config::{Config, Span};
use backlinkd::crawl::{CrawlJob, Crawler};
use backlinkd::store::{Store, StoreError};
use backlinkd::urls::{Suffixes, UrlRules};

use crate::pipeline::oracle::{assert_index, inactive, url};
use crate::pipeline::{Site, random_web, seeds};
use crate::support::dice::Dice;

const DIRECTORY: &str = "BACKLINKD_TEST_CRASH_DIRECTORY";
const OVERRIDES: &str = "BACKLINKD_TEST_CRASH_OVERRIDES";
const CHILD: &str = "crash::the_crawl_that_is_killed";

fn config(overrides: &Path) -> Config {
    let mut config = Config::default();
    config.fetch.host_overrides = overrides.to_owned();
    config.fetch.allow_private_addresses = vec!["127.0.0.0/8".parse().unwrap()];
    config.crawl.delay = Span(Duration::from_millis(30));
    config.crawl.host_queue_in_memory = 2;
    config.store.batch_pages = 4;
    config.store.block_cache_bytes = 1 << 20;
    config.store.write_buffer_bytes = 1 << 20;
    config
}

fn open(directory: &Path, config: &Config) -> Result<Store, StoreError> {
    Store::open(directory, &config.store, Arc::new(Suffixes::built_in().unwrap()))
}

/// Does nothing unless it was started by the test below.
#[test]
fn the_crawl_that_is_killed() {
    let (Ok(directory), Ok(overrides)) = (std::env::var(DIRECTORY), std::env::var(OVERRIDES)) else { return };
    let config = config(Path::new(&overrides));
    let store = Arc::new(open(Path::new(&directory), &config).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let crawler = Crawler::new(store.clone(), &config, UrlRules::default()).unwrap();
    let job = CrawlJob { seeds: seeds().iter().map(|seed| url(seed)).collect(), ..CrawlJob::default() };
    std::thread::spawn(move || {
        // What is told here is stored: whoever hears it may rely on it.
        let mut told = BTreeSet::new();
        loop {
            for row in store.snapshot().graph() {
                let row = row.unwrap();
                if told.insert(row.url.clone()) {
                    println!("stored {} {}", row.url, row.links.len());
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    crawler.run(&job, runtime.handle(), &AtomicBool::new(false)).unwrap();
}

fn start(directory: &Path, overrides: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env(DIRECTORY, directory)
        .env(OVERRIDES, overrides)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets a crawl run until it has told of so many pages, and a little longer; kills it. Gives back the pages it told
/// of, with their number of links.
fn kill_after(child: &mut Child, pages: u64, moment: Duration) -> Vec<(String, usize)> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told = Vec::new();
    let mut read = |line: String| {
        let mut words = line.rsplit("stored ").next().unwrap_or_default().split(' ');
        if let (true, Some(url), Some(links)) = (line.contains("stored "), words.next(), words.next()) {
            told.push((url.to_owned(), links.parse().unwrap()));
        }
        told.len() as u64
    };
    for line in lines.by_ref() {
        if read(line) >= pages {
            break;
        }
    }
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.for_each(|line| {
        // The last line may have been cut by the kill.
        if line.split(' ').count() == 3 {
            read(line);
        }
    });
    told
}

#[test]
fn a_crawl_that_is_killed_loses_nothing() {
    let made = random_web(6);
    let site = Site::of(&made);
    let folder = tempfile::tempdir().unwrap();
    let overrides = site.web.overrides();
    let config = config(&overrides);
    let mut dice = Dice(66);
    let (mut visited, mut cut_short) = (0, 0);
    let all = made.reachable(&seeds());
    for round in 0..6 {
        let mut child = start(folder.path(), &overrides);
        let moment = Duration::from_micros(dice.below(8_000));
        let told = kill_after(&mut child, visited + 1 + dice.below(5), moment);
        let store = open(folder.path(), &config).unwrap();
        let snapshot = store.snapshot();
        for (page, links) in told {
            assert!(snapshot.page(&url(&page)).unwrap().is_some(), "{page} was stored and is gone");
            assert_eq!(snapshot.outlinks(&url(&page)).unwrap().len(), links, "{page}");
        }
        let stats = store.stats().unwrap();
        assert!(stats.visited >= visited, "round {round}");
        visited = stats.visited;
        cut_short += usize::from(visited < all.len() as u64);
        assert!(inactive(&store).is_empty());
    }
    assert!(cut_short > 0, "the crawl was over before it was killed");
    let store = Arc::new(open(folder.path(), &config).unwrap());
    let crawler = Crawler::new(store.clone(), &config, UrlRules::default()).unwrap();
    crawler.run(&CrawlJob::default(), site.runtime.handle(), &AtomicBool::new(false)).unwrap();
    assert_index(&store, &all);
    assert!(inactive(&store).is_empty());
}
