//! Malicious and faulty servers: the program itself crawls them. The result of each page, the time and the memory are
//! bounded, and the crawl of other hosts continues meanwhile.

mod long_urls;
mod memory;
mod names;
mod pages;
mod redirects;
mod rules;
mod served;
mod tls;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backlinkd::config::StoreConfig;
use backlinkd::model::{FailureKind, OutlinkRecord, StoredPage};
use backlinkd::store::Store;
use backlinkd::urls::Suffixes;
use tokio::sync::OnceCell;

use crate::cli::process::{Ended, Place};
use crate::support::fake_web::{FakeWeb, Reply, Request};
use crate::support::visitor::url;

/// Bytes of a body in these crawls: half of the default, so that the tests take half as long.
const MOST_BODY: usize = 4 << 20;
const MOST_DECODED: usize = 8 << 20;

/// Additional resident bytes, compared with the good host alone, if no page takes much to parse.
const LITTLE: u64 = 64 << 20;
/// The same for each core, if large pages are parsed at once, one a core. Each has its bytes as received and as
/// decoded, its tree and its links. Further responses wait in received form.
const PAGE: u64 = 200 << 20;

/// The well-behaved host, and its pages: more of them than others can keep the crawl busy for.
const GOOD: &str = "good.test";
const GOOD_PAGES: usize = 400;

/// The timeouts of a page's response in these crawls, for its headers and for its end.
const HEADERS: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(5);

/// The expected result of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Responded with this status and this number of links.
    Read(u16, usize),
    /// As above, but the body was cut.
    Cut(u16, usize),
    Failed(FailureKind),
    /// The page received no request.
    NotVisited,
}

/// Defines the well-behaved host. It has its own address.
fn with_good_host(web: FakeWeb) -> FakeWeb {
    web.host(GOOD, "127.40.0.1").page(GOOD, "/*", Reply::html("<a href=/0>a page like any other</a>"))
}

/// A place for a crawl of this web, with the limits that these tests assume.
fn place(web: &FakeWeb) -> Place {
    Place::at(web)
        // Memory counts while the program holds it, and not for the second that the allocator keeps it afterwards.
        .env("MIMALLOC_PURGE_DELAY", "0")
        .set("crawl.delay=20ms")
        .set("crawl.max_attempts=1")
        // Pages may wait for cores that are busy with others; the servers do not cause this.
        .set("crawl.store_queue=1000")
        .set(&format!("fetch.first_byte_timeout={}ms", HEADERS.as_millis()))
        .set(&format!("fetch.timeout={}ms", ANSWER.as_millis()))
        .set(&format!("fetch.max_body_bytes={MOST_BODY}"))
        .set(&format!("fetch.max_decoded_bytes={MOST_DECODED}"))
        .set("fetch.connect_timeout=1s")
        .set("fetch.slow_body_grace=1s")
        .set("fetch.min_bytes_per_second=2000")
}

/// Crawls these URLs, and those of the good host in parallel; links are followed up to `depth`.
async fn crawl(place: Place, urls: &[String], depth: usize) -> (Place, Ended) {
    let mut seeds: String = urls.iter().map(|url| format!("{url}\n")).collect();
    for page in 0..GOOD_PAGES {
        writeln!(seeds, "http://{GOOD}/{page}").unwrap();
    }
    let seeds = place.file("seeds.txt", &seeds);
    let place = place.set(&format!("crawl.max_depth={depth}"));
    let run = move || {
        let ended = place.run(&["crawl", "--seeds", &seeds, "--no-rank"]).with(0);
        (place, ended)
    };
    let (place, ended) = tokio::task::spawn_blocking(run).await.unwrap();
    eprintln!("{:?}, {} MB", ended.took, ended.peak >> 20);
    (place, ended)
}

/// The index after a crawl.
struct Index(Store);

impl Index {
    fn of(place: &Place) -> Self {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        Self(Store::open(&place.data(), &StoreConfig::default(), suffixes).unwrap())
    }

    fn page(&self, text: &str) -> Option<StoredPage> {
        self.0.snapshot().page(&url(text)).unwrap()
    }

    fn links(&self, text: &str) -> Vec<OutlinkRecord> {
        self.0.snapshot().outlinks(&url(text)).unwrap()
    }

    fn fate(&self, text: &str) -> Fate {
        let Some(page) = self.page(text) else { return Fate::NotVisited };
        let links = self.links(text).len();
        let kind = FailureKind::ALL.into_iter().find(|kind| *kind as u8 == page.last_failure);
        match (kind, page.facts.cut.is_some()) {
            (Some(kind), _) => Fate::Failed(kind),
            (None, true) => Fate::Cut(page.facts.status, links),
            (None, false) => Fate::Read(page.facts.status, links),
        }
    }
}

/// Compares the result of each page with the expected one.
fn assert_fates<'a>(index: &Index, fates: impl IntoIterator<Item = (&'a str, Fate)>) {
    let wrong: Vec<String> = fates
        .into_iter()
        .map(|(url, expected)| (url, expected, index.fate(url)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(url, expected, found)| format!("{url} is {found:?}, should be {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts that the crawl of the good host continued, whatever the others did. All its pages were fetched, some of them
/// during each long response of others. Neither two of them nor the last one and the end of the crawl are further apart
/// than the timeout of a response.
fn assert_went_on(web: &FakeWeb, ended: &Ended) {
    let log = web.log();
    let (good, hostile): (Vec<&Request>, Vec<&Request>) =
        log.iter().partition(|request| request.host == GOOD);
    assert_eq!(good.len(), 1 + GOOD_PAGES);
    let starts: Vec<Instant> = good.iter().map(|request| request.start).chain([ended.at]).collect();
    for Request { host, path, start, end, .. } in hostile {
        // An endless response keeps the server busy long after the crawler has disconnected.
        let end = end.unwrap_or(*start + HEADERS);
        let is_long = end - *start > HEADERS / 2;
        let meanwhile = starts.iter().filter(|at| (*start..end).contains(*at)).count();
        assert!(!is_long || meanwhile > 1, "nothing went on while {host}{path:.50} took its time");
    }
    let widest = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest < HEADERS, "the good host had to wait for {widest:?}");
}

/// Additional bytes, compared with the good host alone, if every core parses a large page.
fn much() -> u64 {
    PAGE * std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64).max(2)
}

/// The peak of resident memory while only the good host is crawled.
async fn alone() -> u64 {
    static PEAK: OnceCell<u64> = OnceCell::const_new();
    let measure = || async {
        let web = with_good_host(FakeWeb::new()).start().await;
        crawl(place(&web), &[], 0).await.1.peak
    };
    *PEAK.get_or_init(measure).await
}

/// Asserts that a crawl took no longer than this, and no more memory than this above that of the good host.
async fn assert_bounded(ended: &Ended, most: Duration, above: u64) {
    assert!(ended.took < most, "it took {:?}", ended.took);
    let alone = alone().await;
    assert!(
        ended.peak < alone + above,
        "{} MB were resident, {} MB with the good host alone",
        ended.peak >> 20,
        alone >> 20
    );
}
