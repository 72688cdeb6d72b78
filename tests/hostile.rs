//! Servers that mean no good, or know no better: the program itself crawls them, and what becomes of each page, how
//! long it takes and how much memory, is bounded; and the crawl of other hosts goes on meanwhile.

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

/// Bytes of a body in these crawls: half of the defaults, so that the tests take half as long.
const MOST_BODY: usize = 4 << 20;
const MOST_DECODED: usize = 8 << 20;

/// Bytes more than for the good host alone that may be resident where no page takes much to be read.
const LITTLE: u64 = 64 << 20;
/// The same for each core, where pages do that are read at once, one a core: each has its bytes as they came, as they
/// were decoded, its tree and its links. What comes meanwhile waits as it came.
const PAGE: u64 = 200 << 20;

/// The host that means well, and its pages: more of them than others can keep the crawl busy for.
const GOOD: &str = "good.test";
const GOOD_PAGES: usize = 400;

/// How long a page's answer may take in these crawls, to its headers and to its end.
const HEADERS: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(5);

/// What should have become of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Answered with this status and so many links.
    Read(u16, usize),
    /// As above, but not to its end.
    Cut(u16, usize),
    Failed(FailureKind),
    /// Not one request reached it.
    NotVisited,
}

/// Lays out the host that means well. Its address is its own.
fn with_good_host(web: FakeWeb) -> FakeWeb {
    web.host(GOOD, "127.40.0.1").page(GOOD, "/*", Reply::html("<a href=/0>a page like any other</a>"))
}

/// A place for a crawl of this web, with the bounds that these tests count on.
fn place(web: &FakeWeb) -> Place {
    Place::at(web)
        // Memory counts while the program holds it, not for the second that the allocator keeps it afterwards.
        .env("MIMALLOC_PURGE_DELAY", "0")
        .set("crawl.delay=20ms")
        .set("crawl.max_attempts=1")
        // Pages may wait for cores that are busy with others; that is none of the servers' doing.
        .set("crawl.store_queue=1000")
        .set(&format!("fetch.first_byte_timeout={}ms", HEADERS.as_millis()))
        .set(&format!("fetch.timeout={}ms", ANSWER.as_millis()))
        .set(&format!("fetch.max_body_bytes={MOST_BODY}"))
        .set(&format!("fetch.max_decoded_bytes={MOST_DECODED}"))
        .set("fetch.connect_timeout=1s")
        .set("fetch.slow_body_grace=1s")
        .set("fetch.min_bytes_per_second=2000")
}

/// Crawls these URLs, and those of the good host beside them; links are followed up to `depth`.
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

/// The index that a crawl left.
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
        match (kind, page.cut.is_some()) {
            (Some(kind), _) => Fate::Failed(kind),
            (None, true) => Fate::Cut(page.status, links),
            (None, false) => Fate::Read(page.status, links),
        }
    }
}

/// Compares what became of each page with what should have.
fn assert_fates<'a>(index: &Index, fates: impl IntoIterator<Item = (&'a str, Fate)>) {
    let wrong: Vec<String> = fates
        .into_iter()
        .map(|(url, expected)| (url, expected, index.fate(url)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(url, expected, found)| format!("{url} is {found:?}, should be {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// That a crawl went on at the good host, whatever others did to it: all its pages were fetched, some of them while
/// each long answer of others was waited for, and never were two of them, or the last and the crawl's end, as far
/// apart as it takes to give up an answer.
fn assert_went_on(web: &FakeWeb, ended: &Ended) {
    let log = web.log();
    let (good, hostile): (Vec<&Request>, Vec<&Request>) =
        log.iter().partition(|request| request.host == GOOD);
    assert_eq!(good.len(), 1 + GOOD_PAGES);
    let starts: Vec<Instant> = good.iter().map(|request| request.start).chain([ended.at]).collect();
    for Request { host, path, start, end, .. } in hostile {
        // Without an end, the server was still busy with it when the crawler had long gone.
        let end = end.unwrap_or(*start + HEADERS);
        let is_long = end - *start > HEADERS / 2;
        let meanwhile = starts.iter().filter(|at| (*start..end).contains(*at)).count();
        assert!(!is_long || meanwhile > 1, "nothing went on while {host}{path:.50} took its time");
    }
    let widest = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest < HEADERS, "the good host had to wait for {widest:?}");
}

/// Bytes more than for the good host alone where every core reads a large page.
fn much() -> u64 {
    PAGE * std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64).max(2)
}

/// What is resident at most while the good host is crawled alone.
async fn alone() -> u64 {
    static PEAK: OnceCell<u64> = OnceCell::const_new();
    let measure = || async {
        let web = with_good_host(FakeWeb::new()).start().await;
        crawl(place(&web), &[], 0).await.1.peak
    };
    *PEAK.get_or_init(measure).await
}

/// That a crawl took no longer, and no more memory than so much above what the good host takes.
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
