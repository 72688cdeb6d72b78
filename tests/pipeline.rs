//! From a web to its index: a generated web is crawled over loopback, and the index is compared with the description of
//! the web.

pub mod oracle;
mod politeness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backlinkd::config::{Config, RankConfig, Span};
use backlinkd::crawl::{CrawlJob, Crawler, Figures};
use backlinkd::model::{LinkTag, Rel};
use backlinkd::rank::rank_all;
use backlinkd::store::Store;
use backlinkd::urls::{Suffixes, UrlRules};

use crate::support::dice::Dice;
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::made_web::{MadeLink, MadePage, MadeWeb};
use oracle::{assert_index, assert_ranks, inactive, surplus, url};

const HOSTS: [&str; 7] =
    ["a.test", "www.a.test", "shop.a.test", "b.test", "c-d.test", "e.co.uk", "alice.github.io"];
const PAGES: u64 = 8;

fn page_url(dice: &mut Dice, pages: u64) -> String {
    let host = HOSTS[dice.below(HOSTS.len() as u64) as usize];
    match dice.below(pages + 1) {
        0 => format!("http://{host}/"),
        page => format!("http://{host}/p?n={page}"),
    }
}

fn random_link(dice: &mut Dice, pages: u64) -> MadeLink {
    let tag = [LinkTag::A, LinkTag::A, LinkTag::Aimg, LinkTag::Iframe][dice.below(4) as usize];
    let rel = match tag {
        LinkTag::Iframe => Rel::NONE,
        _ => Rel::from_bits([0, 0, 0, 1, 2, 6][dice.below(6) as usize]),
    };
    let anchor = ["", "one", "two words", "日本語"][dice.below(4) as usize].to_owned();
    MadeLink { target: page_url(dice, pages), tag, rel, anchor }
}

fn random_page(own: &str, dice: &mut Dice, pages: u64) -> MadePage {
    match dice.below(12) {
        0 => {
            let status = [301, 302, 303, 307, 308][dice.below(5) as usize];
            MadePage::Redirect { status, target: page_url(dice, pages) }
        }
        1 => MadePage::Error { status: [404, 410][dice.below(2) as usize] },
        _ => {
            let mut links: Vec<MadeLink> = (0..dice.below(9)).map(|_| random_link(dice, pages)).collect();
            links.retain(|link| link.target != own);
            MadePage::Html { title: format!("title {}", dice.below(100)), links }
        }
    }
}

pub fn random_web(seed: u64) -> MadeWeb {
    random_web_of(seed, PAGES)
}

/// A web with this number of pages on each of its hosts.
pub fn random_web_of(seed: u64, pages: u64) -> MadeWeb {
    let mut dice = Dice(seed);
    let mut web = MadeWeb::default();
    for (number, host) in HOSTS.iter().enumerate() {
        // Some hosts share an address.
        web.hosts.insert((*host).to_owned(), format!("127.77.0.{}", 1 + number % 5));
        for page in 0..pages {
            let url = match page {
                0 => format!("http://{host}/"),
                page => format!("http://{host}/p?n={page}"),
            };
            let page = random_page(&url, &mut dice, pages);
            web.pages.insert(url, page);
        }
    }
    web.forbidden.insert("b.test".to_owned(), vec!["/p?n=3".to_owned(), "/p?n=5".to_owned()]);
    web
}

/// A crawl of a web on loopback into its own store.
pub struct Site {
    pub runtime: tokio::runtime::Runtime,
    pub web: FakeWeb,
    pub pages: Arc<Mutex<BTreeMap<String, MadePage>>>,
    pub config: Config,
    _folder: tempfile::TempDir,
    pub store: Arc<Store>,
}

impl Site {
    pub fn of(made: &MadeWeb) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pages = Arc::new(Mutex::new(made.pages.clone()));
        let web = runtime.block_on(made.serve(pages.clone()));
        Self { pages, ..Self::over(runtime, web) }
    }

    pub fn over(runtime: tokio::runtime::Runtime, web: FakeWeb) -> Self {
        let mut config = Config { fetch: web.fetch_config(), ..Config::default() };
        config.crawl.delay = Span(Duration::from_millis(1));
        config.crawl.host_queue_in_memory = 3;
        config.store.block_cache_bytes = 1 << 20;
        config.store.write_buffer_bytes = 1 << 20;
        let folder = tempfile::tempdir().unwrap();
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Arc::new(Store::open(folder.path(), &config.store, suffixes).unwrap());
        Self { runtime, web, pages: Arc::default(), config, _folder: folder, store }
    }

    pub fn crawler(&self) -> Crawler {
        Crawler::new(self.store.clone(), &self.config, UrlRules::default()).unwrap()
    }

    pub fn crawl(&self, job: &CrawlJob, stop: &AtomicBool) -> Figures {
        self.crawler().run(job, self.runtime.handle(), stop).unwrap()
    }

    fn crawl_all(&self, seeds: &[String]) -> Figures {
        self.crawl(&job(seeds), &AtomicBool::new(false))
    }
}

pub fn job(seeds: &[String]) -> CrawlJob {
    CrawlJob { seeds: seeds.iter().map(|seed| url(seed)).collect(), ..CrawlJob::default() }
}

pub fn seeds() -> Vec<String> {
    ["a.test", "c-d.test", "b.test"].map(|host| format!("http://{host}/")).to_vec()
}

#[test]
fn the_index_equals_the_crawled_web() {
    for seed in 1..=3 {
        let made = random_web(seed);
        let site = Site::of(&made);
        let figures = site.crawl_all(&seeds());
        let expected = made.reachable(&seeds());
        assert!(expected.len() > 40, "the web is too small to tell anything");
        assert_index(&site.store, &expected);
        assert_eq!(figures.visits, expected.len() as u64);
        assert!(inactive(&site.store).is_empty());
        rank_all(&site.store, &RankConfig::default(), site.store.suffixes(), &|_| {}).unwrap();
        assert_ranks(&site.store, &expected);
        site.store.compact().unwrap();
        assert_index(&site.store, &expected);
    }
}

#[test]
fn the_index_follows_changes_of_the_web() {
    let before = random_web(4);
    let mut after = before.clone();
    let mut dice = Dice(44);
    for (url, page) in &mut after.pages {
        if dice.below(2) == 0 {
            *page = random_page(url, &mut dice, PAGES);
        }
    }
    let mut site = Site::of(&before);
    site.config.crawl.recrawl_after = Span::default();
    site.crawl_all(&seeds());
    let first = before.reachable(&seeds());
    assert_index(&site.store, &first);

    // Known pages are visited again too, whether or not pages still link to them.
    *site.pages.lock().unwrap() = after.pages.clone();
    site.crawl_all(&seeds());
    let known: Vec<String> = first.keys().cloned().chain(seeds()).collect();
    let second = after.reachable(&known);
    assert_index(&site.store, &second);
    assert_eq!(inactive(&site.store), surplus(&first, &second));

    *site.pages.lock().unwrap() = before.pages.clone();
    site.crawl_all(&seeds());
    let known: Vec<String> = second.keys().cloned().collect();
    let third = before.reachable(&known);
    assert_index(&site.store, &third);
    // Restored links are active again, and the links of the change are now lost.
    assert_eq!(inactive(&site.store), surplus(&second, &third));
}

#[test]
fn an_interrupted_crawl_resumes() {
    let made = random_web(5);
    let mut site = Site::of(&made);
    site.config.crawl.delay = Span(Duration::from_millis(10));
    let mut runs = 0;
    let never = AtomicBool::new(false);
    for run in 0..4 {
        // The progress of a crawl in its time depends on the machine: fewer than 5 pages may be left.
        let (given, so_far) = (seeds()[..1 + run % 2].to_vec(), seeds()[..1 + run.min(1)].to_vec());
        let mut left: BTreeSet<String> = made.reachable(&so_far).into_keys().collect();
        for request in site.web.log() {
            left.remove(&format!("http://{}{}", request.host, request.path));
        }
        left.extend(given.iter().cloned());
        let figures = site.crawl(&CrawlJob { max_pages: Some(5), ..job(&given) }, &never);
        assert_eq!(figures.visits, left.len().min(5) as u64);
        site.crawl(&CrawlJob { max_time: Some(Duration::from_millis(30)), ..CrawlJob::default() }, &never);
        let stop = Arc::new(AtomicBool::new(false));
        let stopper = stop.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            stopper.store(true, Ordering::Relaxed);
        });
        site.crawl(&CrawlJob::default(), &stop);
        thread.join().unwrap();
        runs += 3;
    }
    site.crawl_all(&seeds());
    assert_index(&site.store, &made.reachable(&seeds()));
    let mut fetched: BTreeMap<(String, String), usize> = BTreeMap::new();
    for request in site.web.log() {
        *fetched.entry((request.host, request.path)).or_default() += 1;
    }
    for ((host, path), times) in fetched {
        let seed = path == "/" && seeds().contains(&format!("http://{host}/"));
        let most = if path == "/robots.txt" || seed { runs + 1 } else { 1 };
        assert!(times <= most, "{host}{path} was fetched {times} times");
    }
}

#[test]
fn a_stopping_crawl_does_not_wait_for_a_hanging_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hanging = Reply::html("late").after(Duration::from_secs(20));
    let web = FakeWeb::new().host("a.test", "127.77.1.1").page("a.test", "/", hanging);
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.drain = Span(Duration::from_millis(100));
    let stop = Arc::new(AtomicBool::new(false));
    let stopper = stop.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stopper.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    site.crawl(&job(&["http://a.test/".to_owned()]), &stop);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(site.store.stats().unwrap().queued, 1);
}

#[test]
fn failing_pages_are_retried_and_then_recorded() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = FakeWeb::new()
        .page("a.test", "/", Reply::html("<a href=/ok>x</a><a href=/500>x</a><a href=/torn>x</a>"))
        .page("a.test", "/ok", Reply::html("ok"))
        .page("a.test", "/500", Reply::status(500))
        .page("a.test", "/torn", Reply::reset());
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.retry_delay = Span(Duration::from_millis(10));
    site.crawl_all(&["http://a.test/".to_owned()]);
    let times = |path: &str| site.web.log().iter().filter(|request| request.path == path).count();
    assert_eq!((times("/ok"), times("/500"), times("/torn")), (1, 3, 3));
    let snapshot = site.store.snapshot();
    let broken = snapshot.page(&url("http://a.test/500")).unwrap().unwrap();
    assert_eq!((broken.facts.status, broken.failures, broken.facts.html), (500, 3, false));
    let torn = snapshot.page(&url("http://a.test/torn")).unwrap().unwrap();
    assert_eq!((torn.facts.status, torn.failures), (0, 3));
    assert!(torn.last_failure > 0);
    assert_eq!(site.store.stats().unwrap().queued, 0);
}
