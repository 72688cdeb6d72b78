//! Pages visited repeatedly: the content of the store, compared with a model that keeps everything and recomputes each
//! answer.

mod changes;
mod imports;
mod lookups;
mod model;
pub mod web;

use std::sync::{Arc, LazyLock};

use backlinkd::config::StoreConfig;
use backlinkd::model::{
    BacklinkRecord, Disposition, FailureKind, PageContent, PageFacts, PageOutcome, Place, Priority,
    QueueEntry, SourcePage, StoredPage, Target, Visit, VisitRecord,
};
use backlinkd::store::{
    BacklinkRef, Commit, Findings, HostPair, Keyed, PairCounts, Snapshot, Stats, Store, VerifyOptions,
};
use backlinkd::urls::{CanonicalUrl, Scope, ScopeKind, Suffixes, UrlRules};
use proptest::prelude::*;

use crate::support::go_on;

use model::Model;

static SUFFIXES: LazyLock<Arc<Suffixes>> = LazyLock::new(|| Arc::new(Suffixes::built_in().unwrap()));

/// Former links of a page and absences of a link that are remembered: few, so that histories exceed them.
const FORMER: usize = 4;
const ABSENCES: usize = 2;

fn config() -> StoreConfig {
    StoreConfig {
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        batch_pages: 3,
        max_former_links: FORMER,
        max_absences: ABSENCES,
        ..StoreConfig::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_history_reads_as_in_the_model(commits in web::histories()) {
        let folder = tempfile::tempdir().unwrap();
        let mut model = Model::new(SUFFIXES.clone());
        let mut store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
        for (number, records) in commits.iter().enumerate() {
            store.put(records).unwrap();
            records.iter().for_each(|record| model.visit(record));
            if number % 4 == 3 {
                // Merged operands and further ones are in different files.
                store.flush().unwrap();
            }
            pages_agree(&store, &model);
        }
        scopes_agree(&store, &model);
        drop(store);
        store = Store::open_existing(folder.path(), &config(), SUFFIXES.clone()).unwrap();
        pages_agree(&store, &model);
        store.compact().unwrap();
        scopes_agree(&store, &model);
        let options = VerifyOptions { memory_bytes: 1 << 20, ..VerifyOptions::default() };
        assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
    }
}

/// A page without its schedule, which the model does not have.
fn without_plan(page: StoredPage) -> StoredPage {
    assert_eq!(page.next_visit, page.visited + u64::from(page.interval));
    assert!((86_400..=90 * 86_400).contains(&page.interval), "{}", page.interval);
    StoredPage { depth: 0, next_visit: 0, interval: 0, ..page }
}

/// Pages, outlinks and counters.
fn pages_agree(store: &Store, model: &Model) {
    let snapshot = store.snapshot();
    for url in web::urls() {
        assert_eq!(snapshot.page(url).unwrap().map(without_plan), model.page(url), "{url}");
        assert_eq!(snapshot.outlinks(url).unwrap(), model.outlinks(url), "{url}");
    }
    let texts: Vec<&str> = web::urls().iter().map(CanonicalUrl::as_str).collect();
    let outcome = |page: StoredPage| PageOutcome {
        status: page.facts.status,
        last_failure: page.last_failure,
        failures: page.failures,
        html: page.facts.html,
        cut: page.facts.cut.is_some(),
    };
    let outcomes: Vec<PageOutcome> =
        web::urls().iter().map(|url| model.page(url).map(outcome).unwrap_or_default()).collect();
    assert_eq!(snapshot.page_outcomes(&texts, &go_on).unwrap(), outcomes);
    let graph: Vec<_> = snapshot
        .graph()
        .map(|row| row.unwrap())
        .map(|row| (row.url, without_plan(row.page), row.links))
        .collect();
    assert_eq!(graph, model.graph());
    let stats = store.stats().unwrap();
    assert_eq!(Stats { disk_bytes: 0, ..stats }, model.stats());
    assert_eq!(store.is_empty().unwrap(), model.stats().visited == 0);
}

/// Every scope, read from its start and from every existing key.
fn scopes_agree(store: &Store, model: &Model) {
    let snapshot = store.snapshot();
    let rows = |scope: &Scope, after: Option<&[u8]>| -> Vec<Keyed<BacklinkRecord>> {
        snapshot.backlinks(scope, after).map(|row| row.unwrap()).collect()
    };
    let page_rows = |scope: &Scope, after: Option<&[u8]>| -> Vec<_> {
        snapshot.pages(scope, after).map(|row| row.unwrap()).collect()
    };
    let mut keys: Vec<Vec<u8>> = vec![Vec::new(), vec![0xff]];
    for scope in scopes() {
        keys.extend(rows(&scope, None).into_iter().map(|row| row.key));
        keys.extend(page_rows(&scope, None).into_iter().map(|row| row.key));
    }
    keys.sort();
    keys.dedup();
    // A position between two keys: a token may contain the key of a row that has vanished.
    let between: Vec<Vec<u8>> = keys.iter().step_by(7).map(|key| [key, &[0][..]].concat()).collect();
    for scope in scopes() {
        let whole = rows(&scope, None);
        let records: Vec<_> = whole.iter().map(|row| row.value.clone()).collect();
        assert_eq!(records, model.backlinks(&scope), "{scope:?}");
        assert!(whole.is_sorted_by(|a, b| a.key < b.key), "{scope:?}");
        let whole_pages = page_rows(&scope, None);
        let visited: Vec<_> = whole_pages
            .iter()
            .map(|Keyed { value: (url, page), .. }| (url.clone(), without_plan(page.clone())))
            .collect();
        assert_eq!(visited, model.pages(&scope), "{scope:?}");
        assert!(whole_pages.is_sorted_by(|a, b| a.key < b.key), "{scope:?}");
        let pairs: Vec<HostPair> = snapshot.host_pairs(&scope).map(|row| row.unwrap()).collect();
        assert_eq!(pairs, model.host_pairs(&scope), "{scope:?}");
        let mut told = Vec::new();
        let tell = |target_host: &str, source_host: &str, counts: &PairCounts| {
            let (target_host, source_host) = (target_host.to_owned(), source_host.to_owned());
            told.push(HostPair { target_host, source_host, counts: *counts });
        };
        snapshot.for_each_pair(&scope, &go_on, tell).unwrap();
        assert_eq!(told, pairs, "{scope:?}");
        for size in [0, 3, 1_000] {
            assert_eq!(batched(&snapshot, &scope, size), records, "{scope:?} by {size}");
        }
        if let Scope::Domain { domain } = &scope {
            let referrals: Vec<_> = snapshot.referrals(domain).map(|row| row.unwrap()).collect();
            assert_eq!(referrals, model.referrals(domain), "{scope:?}");
        }
        for after in keys.iter().chain(&between) {
            let rest: Vec<_> = whole.iter().filter(|row| row.key > *after).cloned().collect();
            assert_eq!(rows(&scope, Some(after)), rest, "{scope:?} after {after:?}");
            let rest: Vec<_> = whole_pages.iter().filter(|row| row.key > *after).cloned().collect();
            assert_eq!(page_rows(&scope, Some(after)), rest, "{scope:?} after {after:?}");
        }
    }
}

/// All backlinks of a scope, in batches of this size.
fn batched(snapshot: &Snapshot<'_>, scope: &Scope, size: usize) -> Vec<BacklinkRecord> {
    let batches: Vec<_> = snapshot.backlink_batches(scope, size).map(Result::unwrap).collect();
    let (last, full) = batches.split_last().map_or((0, 0), |(last, full)| (last.len(), full.len()));
    assert!(batches.iter().take(full).all(|batch| batch.len() == size.max(1)));
    assert!(batches.is_empty() || (1..=size.max(1)).contains(&last));
    let record = |view: &BacklinkRef<'_>| BacklinkRecord {
        source: url(view.source),
        target: url(view.target),
        seq: view.seq,
        pos: view.pos,
        tag: view.tag,
        rel: view.rel,
        anchor: view.anchor.to_owned(),
        first_day: view.first_day,
        absences: view.absences.clone(),
        blpcount: view.blpcount,
        page: SourcePage {
            title: view.page.title.to_owned(),
            ip: view.page.ip,
            place: Place {
                ccode: view.page.ccode.to_owned(),
                country: view.page.country.to_owned(),
                city: view.page.city.to_owned(),
            },
            int_links: view.page.int_links,
            ext_links: view.page.ext_links,
            fetched_day: view.page.fetched_day,
        },
    };
    let mut records = Vec::new();
    for batch in &batches {
        let rows = batch.rows().unwrap();
        assert_eq!(rows.len(), batch.len());
        assert_eq!(rows, batch.rows().unwrap());
        for row in &rows {
            records.push(record(row));
            assert_eq!(row.is_active(), records.last().unwrap().is_active());
            assert_eq!(row.source, url(row.source).as_str());
        }
    }
    records
}

/// Typical inputs of users: every host as typed and as host and domain, some with ports, some URLs with and without
/// their scheme.
fn scopes() -> Vec<Scope> {
    let parse = |text: &str, kind| Scope::parse(text, kind, &UrlRules::default(), &SUFFIXES).unwrap();
    let mut scopes = Vec::new();
    for origin in web::ORIGINS {
        let authority = origin.split_once("//").unwrap().1;
        scopes.push(parse(authority, None));
        scopes.push(parse(authority, Some(ScopeKind::Host)));
        scopes.push(parse(authority, Some(ScopeKind::Domain)));
    }
    for url in web::urls().iter().step_by(5) {
        scopes.push(parse(url.as_str(), None));
        scopes.push(parse(url.without_scheme(), Some(ScopeKind::Url)));
    }
    for url in web::urls() {
        let path = url.as_str().split('?').next().unwrap();
        scopes.push(parse(path, Some(ScopeKind::Prefix)));
        scopes.push(parse(path.split_once("//").unwrap().1, Some(ScopeKind::Prefix)));
    }
    scopes.push(parse("http://example.com:81", None));
    scopes.push(parse("nothing.example.com", None));
    scopes.push(parse("com", None));
    scopes.sort_by_key(|scope| format!("{scope:?}"));
    scopes.dedup();
    scopes
}

fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

#[test]
fn one_url_thrice_in_a_commit_is_three_visits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let page = url("http://example.com/");
    let record = |second: u64, targets: &[&str]| VisitRecord {
        url: page.clone(),
        visited: 86_400 * 100 + second,
        visit: web::answered(200, targets.iter().map(|target| web::link(target)).collect()),
    };
    let (a, b) = ("http://a.org/", "http://b.org/");
    let records = vec![record(1, &[a, b]), record(2, &[b]), record(86_400, &[b, a])];
    let mut model = Model::new(SUFFIXES.clone());
    records.iter().for_each(|record| model.visit(record));
    let commit = Commit { records, ..Default::default() };
    store.commit(commit).unwrap();
    assert_eq!(store.snapshot().outlinks(&page).unwrap(), model.outlinks(&page));
    let stats = store.stats().unwrap();
    assert_eq!((stats.visited, stats.backlinks, stats.lost_links), (1, 2, 0));
}

#[test]
fn an_error_page_has_none_of_the_pages_links() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let page = url("http://example.com/");
    let visit = |second: u64, status: u16| {
        let links = vec![web::link("http://a.org/")];
        store
            .put(&[VisitRecord { url: page.clone(), visited: second, visit: web::answered(status, links) }])
            .unwrap();
        let stats = store.stats().unwrap();
        (stats.backlinks, stats.lost_links)
    };
    assert_eq!(visit(86_400, 500), (0, 0));
    assert_eq!(visit(86_401, 404), (0, 0));
    assert_eq!(visit(86_402, 200), (1, 0));
    assert_eq!(visit(86_403, 503), (1, 0));
    assert_eq!(visit(2 * 86_400, 410), (0, 1));
    assert_eq!(store.snapshot().outlinks(&page).unwrap()[0].absences[0].lost.0, 2);
}

#[test]
fn the_content_of_an_error_page_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let page = url("http://example.com/");
    let visit = |day: u64, status: u16| {
        let content = PageContent {
            facts: PageFacts { status, digest: day, ..PageFacts::default() },
            ..PageContent::default()
        };
        let visit = Visit::Responded(Box::new(content));
        store.put(&[VisitRecord { url: page.clone(), visited: day * 86_400, visit }]).unwrap();
        store.page(&page).unwrap().unwrap().interval
    };
    let first = visit(100, 200);
    assert_eq!(visit(107, 200), first);
    assert_eq!(visit(114, 404), first / 2);
    assert_eq!(visit(121, 404), first / 4 * 3);
    assert_eq!(visit(128, 404), first / 8 * 9);
}

#[test]
fn a_url_postponed_twice_in_one_commit_is_checked_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let page = url("http://example.com/");
    let entry =
        |priority| QueueEntry { url: page.clone(), priority, depth: 0, attempts: 0, target: Target::Page };
    let put_off = |times: [u64; 2]| {
        let entries = [entry(Priority::New(0)), entry(Priority::revisit(1))];
        let dispositions = entries.into_iter().zip(times.map(Disposition::Postponed)).collect();
        store.commit(Commit { dispositions, ..Commit::default() }).unwrap();
        store.next_due().unwrap()
    };
    assert_eq!(put_off([5_000, 9_000]), Some(9_000));
    assert_eq!(store.take_due(10_000, 10).unwrap().1, 1);
    store.put(&[VisitRecord { url: page.clone(), visited: 1, visit: web::answered(200, vec![]) }]).unwrap();
    assert_eq!(put_off([8_000, 6_000]), Some(6_000));
    assert_eq!(store.page(&page).unwrap().unwrap().next_visit, 6_000);
    assert_eq!(store.take_due(10_000, 10).unwrap().1, 1);
    assert_eq!(store.next_due().unwrap(), None);
}

#[test]
fn not_modified_updates_no_page_that_was_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let page = url("http://example.com/");
    let visit = |day: u64, visit: Visit| {
        store.put(&[VisitRecord { url: page.clone(), visited: day * 86_400, visit }]).unwrap();
        store.snapshot().page(&page).unwrap()
    };
    assert_eq!(visit(1, Visit::NotModified), None);
    visit(2, Visit::Failed(FailureKind::Timeout, String::new()));
    let known = visit(3, Visit::NotModified).unwrap();
    assert_eq!((known.fetched_day.0, known.failures), (0, 1));
    visit(4, web::answered(200, vec![]));
    assert_eq!(visit(5, Visit::NotModified).unwrap().fetched_day.0, 5);
}
