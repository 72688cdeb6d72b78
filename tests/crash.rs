//! A crawl that is killed at arbitrary moments, repeatedly: stored data survives, unfinished work is repeated, and the
//! result equals that of an undisturbed crawl.
//!
//! The killed crawler is this test binary itself. It is started for one test with a command in its environment, and
//! crawls a generated web that the parent serves.

mod whole_web;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use backlinkd::config::{Config, Span};
use backlinkd::crawl::{CrawlJob, Crawler};
use backlinkd::model::DiscoveredUrl;
use backlinkd::store::{Commit, Findings, PageLinks, Store, StoreError, VerifyOptions};
use backlinkd::urls::{Suffixes, UrlRules};

use crate::pipeline::oracle::{assert_index, inactive, url};
use crate::pipeline::{Site, job, random_web, random_web_of, seeds};
use crate::support::dice::Dice;

const DIRECTORY: &str = "BACKLINKD_TEST_CRASH_DIRECTORY";
const OVERRIDES: &str = "BACKLINKD_TEST_CRASH_OVERRIDES";
/// If set, the crawl resumes the queue and prints nothing.
const RESUMES: &str = "BACKLINKD_TEST_CRASH_RESUMES";
const CHILD: &str = "crash::the_crawl_that_is_killed";

fn config(overrides: &Path) -> Config {
    let mut config = Config::default();
    config.fetch.host_overrides = overrides.to_owned();
    config.fetch.allow_private_addresses = vec!["127.0.0.0/8".parse().unwrap()];
    config.crawl.delay = Span(Duration::from_millis(30));
    config.crawl.host_queue_in_memory = 2;
    // Pages that may be in flight: being fetched, and fetched but not stored.
    config.crawl.fetchers = 4;
    config.crawl.store_queue = 1;
    config.store.batch_pages = 4;
    config.store.block_cache_bytes = 1 << 20;
    config.store.write_buffer_bytes = 1 << 20;
    config
}

fn open(directory: &Path, config: &Config) -> Result<Store, StoreError> {
    Store::open(directory, &config.store, Arc::new(Suffixes::built_in().unwrap()))
}

/// Does nothing unless the test below has started it.
#[test]
fn the_crawl_that_is_killed() {
    let (Ok(directory), Ok(overrides)) = (std::env::var(DIRECTORY), std::env::var(OVERRIDES)) else { return };
    let config = config(Path::new(&overrides));
    let store = Arc::new(open(Path::new(&directory), &config).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let crawler = Crawler::new(store.clone(), &config, UrlRules::default()).unwrap();
    if std::env::var(RESUMES).is_ok() {
        crawler.run(&CrawlJob::default(), runtime.handle(), &AtomicBool::new(false)).unwrap();
        return;
    }
    let job = job(&seeds());
    std::thread::spawn(move || {
        // A printed page is stored: the reader of the output may rely on it.
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

fn command(directory: &Path, overrides: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", CHILD, "--nocapture"])
        .env(DIRECTORY, directory)
        .env(OVERRIDES, overrides)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn start(directory: &Path, overrides: &Path) -> Child {
    command(directory, overrides).spawn().unwrap()
}

fn verify(store: &Store) -> Findings {
    store
        .verify(
            VerifyOptions { repair: false, memory_bytes: 1 << 20, ..VerifyOptions::default() },
            &mut |_| {},
        )
        .unwrap()
}

/// Runs a crawl until it has printed this number of pages, and a little longer; then kills it. Returns the printed
/// pages with their numbers of links.
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
        // The kill may have cut the last line.
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
        assert_eq!(verify(&store), Findings::default(), "round {round}");
    }
    assert!(cut_short > 0, "the crawl was over before it was killed");
    let store = Arc::new(open(folder.path(), &config).unwrap());
    let crawler = Crawler::new(store.clone(), &config, UrlRules::default()).unwrap();
    crawler.run(&CrawlJob::default(), site.runtime.handle(), &AtomicBool::new(false)).unwrap();
    assert_index(&store, &all);
    assert!(inactive(&store).is_empty());
}

const KILLS: u64 = 20;

/// A page with its links, without data that depends on the time and order of visits.
fn page(row: Result<PageLinks, StoreError>) -> PageLinks {
    let mut row = row.unwrap();
    (row.page.visited, row.page.next_visit, row.page.depth) = (0, 0, 0);
    row
}

fn pages(store: &Store) -> Vec<PageLinks> {
    store.snapshot().graph().map(page).collect()
}

/// Requests for pages so far.
fn page_requests(site: &Site) -> Vec<String> {
    let log = site.web.log().into_iter().filter(|request| request.path != "/robots.txt");
    log.map(|request| format!("http://{}{}", request.host, request.path)).collect()
}

/// Resumes a crawl, and kills it at some moment after this number of further requests for pages.
fn kill_at(site: &Site, directory: &Path, more: usize, moment: Duration) {
    let most = page_requests(site).len() + more;
    let mut child = command(directory, &site.web.overrides()).env(RESUMES, "1").spawn().unwrap();
    while page_requests(site).len() < most && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The random numbers for the moments of kills. Their seed is printed; set `BACKLINKD_TEST_SEED` to reproduce a run.
fn dice() -> Dice {
    let given = std::env::var("BACKLINKD_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = given.unwrap_or(now.as_nanos() as u64);
    eprintln!("BACKLINKD_TEST_SEED={seed}");
    Dice(seed)
}

/// Twenty kills at random moments, on a web of some hundreds of pages.
#[test]
fn twenty_kills_repeat_only_fetches_in_flight() {
    let made = random_web_of(8, 90);
    let all = made.reachable(&seeds());
    assert!(all.len() > 400, "the web is too small to be killed in");

    let mut undisturbed = Site::of(&made);
    undisturbed.config.crawl.delay = Span::default();
    let figures = undisturbed.crawl(&job(&seeds()), &AtomicBool::new(false));
    assert_eq!(figures.visits, all.len() as u64);

    let site = Site::of(&made);
    let folder = tempfile::tempdir().unwrap();
    let config = config(&site.web.overrides());
    let found = seeds().iter().map(|seed| DiscoveredUrl::seed(url(seed))).collect();
    open(folder.path(), &config).unwrap().commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    let mut dice = dice();
    let mut cut_short = 0;
    for kill in 0..KILLS {
        // Zero pages are possible: the kill may come while the index is opened.
        let (more, moment) = (dice.below(25) as usize, Duration::from_micros(dice.below(40_000)));
        kill_at(&site, folder.path(), more, moment);
        let store = open(folder.path(), &config).unwrap();
        assert_eq!(verify(&store), Findings::default(), "after kill {kill}");
        cut_short += u64::from(store.stats().unwrap().visited < all.len() as u64);
    }
    assert_eq!(cut_short, KILLS, "the crawl was over before it was killed so often");
    let ended = command(folder.path(), &site.web.overrides()).env(RESUMES, "1").status().unwrap();
    assert!(ended.success());

    let store = open(folder.path(), &config).unwrap();
    assert_index(&store, &all);
    assert!(inactive(&store).is_empty());
    let (here, there) = (pages(&store), pages(&undisturbed.store));
    let differ = here.iter().zip(&there).find(|(here, there)| here != there);
    assert!(here.len() == there.len() && differ.is_none(), "{differ:#?}");
    assert_eq!(verify(&store), Findings::default());
    let asked = page_requests(&site);
    let most = all.len() + KILLS as usize * (config.crawl.fetchers + config.crawl.store_queue);
    eprintln!("{} requests for {} pages, {KILLS} kills", asked.len(), all.len());
    assert!(asked.len() <= most, "{} requests for {} pages", asked.len(), all.len());
    assert_eq!(asked.into_iter().collect::<BTreeSet<_>>(), all.into_keys().collect());
}
