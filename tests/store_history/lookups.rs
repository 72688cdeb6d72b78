//! Lookups of many keys at once, compared with single lookups.

use std::collections::BTreeSet;

use backlinkd::model::{FailureKind, PageOutcome, SearchRank, Visit, VisitRecord};
use backlinkd::store::{BacklinkBatch, Snapshot, Store};
use backlinkd::urls::CanonicalUrl;
use proptest::prelude::*;

use crate::support::go_on;

use super::{SUFFIXES, config, url, web};

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap()
}

/// Some URLs are far apart, some differ only near the end, and some only in the scheme.
fn page(number: u64) -> String {
    let scheme = if number.is_multiple_of(3) { "https" } else { "http" };
    format!(
        "{scheme}://w{}.example-{}.com/some/of/its/pages/{}",
        number % 2,
        number / 5_000,
        number / 3 * 7 % 10_007
    )
}

fn domain(number: u64) -> String {
    format!("example-{}.com", number * 7_919 % 1_000)
}

/// Publishes ranks for every other page and domain.
fn publish(store: &Store, pages: u64) -> BTreeSet<String> {
    let ranked: BTreeSet<String> = (0..pages).filter(|number| number.is_multiple_of(2)).map(page).collect();
    let mut ranks = ranked.iter().zip(1..).map(|(page, rank)| (url(page), SearchRank(rank % 1_000 + 1)));
    let mut domains = (0..1_000).step_by(2).map(|number| (domain(number), SearchRank(number as u16 + 1)));
    store.publish_ranks(&mut ranks, &mut std::iter::empty(), &mut domains).unwrap();
    ranked
}

fn alone(snapshot: &Snapshot<'_>, urls: &[&str]) -> Vec<SearchRank> {
    let known = |text: &str| backlinkd::urls::UrlRules::default().canonical(text).ok();
    let rank = |url: CanonicalUrl| snapshot.page_rank(&url).unwrap();
    urls.iter().map(|text| known(text).map_or(SearchRank(0), rank)).collect()
}

#[test]
fn a_lookup_of_many_ranks_returns_each_pages_own() {
    const PAGES: u64 = 40_000;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    // Lookups ignore an older generation, and a newer one that is incomplete.
    publish(&store, 100);
    let ranked = publish(&store, PAGES);
    let snapshot = store.snapshot();
    // In random order, each page twice, most of the pairs further apart than one thread's share.
    let texts: Vec<String> = (0..2 * PAGES).map(|n| page(n * 7_368_787 % PAGES)).collect();
    let urls: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ranks = snapshot.page_ranks(&urls, &go_on).unwrap();
    assert_eq!(ranks, alone(&snapshot, &urls));
    let known = urls.iter().filter(|url| ranked.contains(**url)).count();
    assert_eq!(ranks.iter().filter(|rank| rank.0 > 0).count(), known);
    for step in [7, 100, 5_000] {
        let few: Vec<&str> = urls.iter().copied().step_by(step).collect();
        assert_eq!(snapshot.page_ranks(&few, &go_on).unwrap(), alone(&snapshot, &few), "every {step}th");
    }
    let texts: Vec<String> = (0..1_000).chain(500..600).map(domain).collect();
    let domains: Vec<&str> = texts.iter().map(String::as_str).chain(["", "com", "\u{ff}"]).collect();
    let expected: Vec<_> = domains.iter().map(|domain| snapshot.domain_rank(domain).unwrap()).collect();
    assert_eq!(snapshot.domain_ranks(&domains, &go_on).unwrap(), expected);
    assert_eq!(expected.iter().filter(|rank| rank.0 > 0).count(), 550);
}

#[test]
fn lookups_of_no_keys_and_unknown_keys_return_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    assert_eq!(store.snapshot().page_ranks(&[], &go_on).unwrap(), []);
    assert_eq!(store.snapshot().page_ranks(&["http://a.com/"], &go_on).unwrap(), [SearchRank(0)]);
    let known = url("http://example.com/");
    let failed = |page: &CanonicalUrl| VisitRecord {
        url: page.clone(),
        visited: 86_400,
        visit: Visit::Failed(FailureKind::Tls, String::new()),
    };
    let answered =
        VisitRecord { url: url("http://www.example.com/"), visited: 1, visit: web::answered(404, vec![]) };
    store.put(&[failed(&known), answered]).unwrap();
    let asked = [
        "",
        "http://www.example.com/",
        "example.com",
        "http://zzz.zzz/",
        "http://example.com/",
        "http://example.com",
    ];
    let unknown = PageOutcome::default();
    let missing = PageOutcome { status: 404, ..unknown };
    let failed = PageOutcome { last_failure: FailureKind::Tls.code(), failures: 1, ..unknown };
    let expected = [unknown, missing, unknown, unknown, failed, unknown];
    assert_eq!(store.snapshot().page_outcomes(&asked, &go_on).unwrap(), expected);
    assert_eq!(store.snapshot().page_outcomes(&[], &go_on).unwrap(), []);
    let nothing = backlinkd::urls::Scope::Domain { domain: "example.com".to_owned() };
    assert_eq!(store.snapshot().backlink_batches(&nothing, 10).count(), 0);
}

#[test]
fn neighbours_of_equal_length_are_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let record = |n: u64| VisitRecord {
        url: url(&format!("http://w{n}.example.com/")),
        visited: 1,
        visit: web::answered(200, vec![web::link("http://www.a.org/"), web::link("http://ftp.a.org/")]),
    };
    store.put(&(0..10).map(record).collect::<Vec<_>>()).unwrap();
    let snapshot = store.snapshot();
    let scope = backlinkd::urls::Scope::Domain { domain: "a.org".to_owned() };
    let mut told = Vec::new();
    snapshot
        .for_each_pair(&scope, &go_on, |target, source, _| told.push(format!("{source} {target}")))
        .unwrap();
    let expected = ["ftp", "www"]
        .into_iter()
        .flat_map(|to| (0..10).map(move |n| format!("w{n}.example.com {to}.a.org")));
    assert_eq!(told, expected.collect::<Vec<_>>());
}

#[test]
fn a_batch_can_be_decoded_on_any_thread() {
    fn shared<T: Send + Sync>(_: &T) {}
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let links: Vec<_> = (0..500).map(|n| web::link(&format!("http://a.org/{}", n % 40))).collect();
    store
        .put(&[VisitRecord { url: url("http://example.com/"), visited: 1, visit: web::answered(200, links) }])
        .unwrap();
    let snapshot = store.snapshot();
    let scope = backlinkd::urls::Scope::Domain { domain: "a.org".to_owned() };
    let batches: Vec<BacklinkBatch> = snapshot.backlink_batches(&scope, 64).map(Result::unwrap).collect();
    batches.iter().for_each(shared);
    let rows: usize = std::thread::scope(|scope| {
        let count =
            |batch: &BacklinkBatch| batch.rows().unwrap().iter().filter(|row| row.is_active()).count();
        let threads: Vec<_> = batches.iter().map(|batch| scope.spawn(move || count(batch))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((batches.len(), rows), (8, 500));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_urls_is_looked_up(
        ranked in prop::collection::btree_set(prop::sample::select(web::urls()), 0..30),
        asked in prop::collection::vec(prop::sample::select(web::urls()), 0..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let mut ranks = ranked.into_iter().zip(1..).map(|(url, rank)| (url, SearchRank(rank)));
        store.publish_ranks(&mut ranks, &mut std::iter::empty(), &mut std::iter::empty()).unwrap();
        let snapshot = store.snapshot();
        let asked: Vec<&str> = asked.iter().map(CanonicalUrl::as_str).collect();
        prop_assert_eq!(snapshot.page_ranks(&asked, &go_on).unwrap(), alone(&snapshot, &asked));
    }
}
