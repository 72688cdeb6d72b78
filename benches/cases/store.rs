//! The store: the speed of writing and importing visit records, of reading a scope's backlinks, and of looking up ranks and statuses;
//! and the bytes of a link on disk.
//!
//! The pages are generated: 100 sites of 200 pages, each with a menu of 40 internal links and 12 external ones. A few
//! favourites get most of the external links, as on the web.

use std::sync::Arc;
use std::time::Instant;

use backlinkd::config::StoreConfig;
use backlinkd::model::{Link, LinkTag, PageContent, PageFacts, Place, Rel, SearchRank, Visit, VisitRecord};
use backlinkd::store::{ImportPolicy, Store, StoreError};
use backlinkd::urls::{Scope, Suffixes, UrlRules};
use criterion::{BatchSize, Criterion, Throughput, criterion_group};

const SITES: u64 = 100;
const PAGES: u64 = 200;
const MENU: u64 = 40;
const EXTERNAL: u64 = 12;
/// Rows per batch: their views fill about half of a core's second-level cache.
const BATCH: usize = 4_096;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    /// A random number that is small far more often than large.
    fn favourite(&mut self, below: u64) -> u64 {
        let exponent = self.next(u64::from(below.ilog2()) + 1);
        ((1 << exponent) + self.next(1 << exponent) - 1) % below
    }
}

fn page_url(site: u64, page: u64) -> String {
    format!("https://www.site{site:03}.example/articles/section-{}/page-{page:04}.html", page % 7)
}

fn records(visited: u64) -> Vec<VisitRecord> {
    let rules = UrlRules::default();
    let url = |text: &str| rules.canonical(text).unwrap();
    let mut draw = Draw(42);
    let mut records = Vec::new();
    for (site, page) in (0..SITES).flat_map(|site| (0..PAGES).map(move |page| (site, page))) {
        let link = |target: String, anchor: String| Link {
            target: url(&target),
            tag: LinkTag::A,
            rel: Rel::NONE,
            anchor,
        };
        let menu = (0..MENU).map(|entry| link(page_url(site, entry), format!("Menu entry {entry}")));
        let mut links: Vec<Link> = menu.collect();
        for _ in 0..EXTERNAL {
            let (to, target) = (draw.favourite(SITES), draw.favourite(PAGES));
            links.push(link(page_url(to, target), format!("see also {}", draw.favourite(500))));
        }
        let content = PageContent {
            facts: PageFacts {
                status: 200,
                content_type: "text/html".to_owned(),
                charset: "utf-8".to_owned(),
                title: format!("Article {page} of site {site}"),
                ip: Some([203, 0, (site / 4) as u8, site as u8].into()),
                place: Place { ccode: "SE".to_owned(), country: "Sweden".to_owned(), city: String::new() },
                html: true,
                digest: draw.next(u64::MAX),
                ..PageFacts::default()
            },
            links,
            ..PageContent::default()
        };
        records.push(VisitRecord {
            url: url(&page_url(site, page)),
            visited,
            visit: Visit::Responded(Box::new(content)),
        });
    }
    records
}

fn open(directory: &tempfile::TempDir) -> Store {
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    Store::open(&directory.path().join("data"), &StoreConfig::default(), suffixes).unwrap()
}

fn store(c: &mut Criterion) {
    let first = records(1_700_000_000);
    let links = first.len() as u64 * (MENU + EXTERNAL);
    let directory = tempfile::tempdir().unwrap();
    let full = open(&directory);
    let start = Instant::now();
    full.put(&first).unwrap();
    full.compact().unwrap();
    let stats = full.stats().unwrap();
    eprintln!(
        "{} links, {} of them backlinks: {:.1} bytes a link on disk; stored and compacted in {:.2} s",
        stats.links,
        stats.backlinks,
        stats.bytes_per_link(),
        start.elapsed().as_secs_f64()
    );

    let mut group = c.benchmark_group("store");
    group.sample_size(10).throughput(Throughput::Elements(links));
    group.bench_function("put new pages (links)", |bench| {
        bench.iter_with_large_drop(|| {
            let directory = tempfile::tempdir().unwrap();
            let store = open(&directory);
            store.put(&first).unwrap();
            (store, directory)
        });
    });
    group.bench_function("import new pages (links)", |bench| {
        bench.iter_with_large_drop(|| {
            let directory = tempfile::tempdir().unwrap();
            let store = open(&directory);
            store.import(&first, ImportPolicy::default()).unwrap();
            (store, directory)
        });
    });
    for (name, visited) in [("later", 1_700_100_000), ("older", 1_600_000_000)] {
        let other = records(visited);
        group.bench_function(format!("import a second, {name} visit of each page (links)"), |bench| {
            let imported = || {
                let directory = tempfile::tempdir().unwrap();
                let store = open(&directory);
                store.import(&first, ImportPolicy::default()).unwrap();
                (store, directory)
            };
            let import = |(store, directory): (Store, tempfile::TempDir)| {
                store.import(&other, ImportPolicy::default()).unwrap();
                (store, directory)
            };
            bench.iter_batched(imported, import, BatchSize::PerIteration);
        });
    }
    let again = records(1_700_100_000);
    group.bench_function("put unchanged pages on a later day (links)", |bench| {
        bench.iter(|| full.put(&again).unwrap());
    });
    group.finish();
    readers(c, &full, &first);
}

/// The lookups with which the search index of a scope is built.
fn readers(c: &mut Criterion, store: &Store, records: &[VisitRecord]) {
    let rank = |at: usize| SearchRank((at % 1_000) as u16 + 1);
    let mut ranks = records.iter().enumerate().map(|(at, record)| (record.url.clone(), rank(at)));
    store.publish_ranks(&mut ranks, &mut std::iter::empty(), &mut std::iter::empty()).unwrap();
    store.compact().unwrap();
    let scope = Scope::Domain { domain: "site000.example".to_owned() };
    let snapshot = store.snapshot();
    let rows = snapshot.backlinks(&scope, None).count() as u64;
    let mut group = c.benchmark_group("store");
    group.sample_size(10).throughput(Throughput::Elements(rows));
    group.bench_function("scan the backlinks of a domain (rows)", |bench| {
        bench.iter(|| snapshot.backlinks(&scope, None).map(Result::unwrap).count());
    });
    let batches = || snapshot.backlink_batches(&scope, BATCH).map(Result::unwrap);
    group.bench_function("read the backlinks of a domain in batches (rows)", |bench| {
        bench.iter(|| batches().map(|batch| batch.len()).sum::<usize>());
    });
    group.bench_function("read the backlinks of a domain into views (rows)", |bench| {
        bench.iter(|| batches().map(|batch| batch.rows().unwrap().len()).sum::<usize>());
    });
    let mut urls: Vec<&str> = records.iter().map(|record| record.url.as_str()).collect();
    let mut draw = Draw(7);
    for at in (1..urls.len()).rev() {
        urls.swap(at, draw.next(at as u64 + 1) as usize);
    }
    group.throughput(Throughput::Elements(urls.len() as u64));
    group.bench_function("look up the ranks of pages (pages)", |bench| {
        bench.iter(|| snapshot.page_ranks(&urls, &go_on).unwrap().len());
    });
    group.bench_function("look up the statuses of pages (pages)", |bench| {
        bench.iter(|| snapshot.page_outcomes(&urls, &go_on).unwrap().len());
    });
    let pairs = snapshot.host_pairs(&scope).count() as u64;
    group.throughput(Throughput::Elements(pairs));
    group.bench_function("tell of the host pairs of a domain (pairs)", |bench| {
        bench.iter(|| {
            let mut links = 0;
            snapshot.for_each_pair(&scope, &go_on, |_, _, counts| links += counts.links).unwrap();
            links
        });
    });
    group.finish();
}

criterion_group!(benches, store);

fn go_on() -> Result<(), StoreError> {
    Ok(())
}
