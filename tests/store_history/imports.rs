//! Visits of archives: any order of imports gives the index that the crawler's door gives when the visits come in order,
//! row by row.

mod joined;
mod killed;
mod known;
mod limits;

use std::collections::BTreeMap;
use std::path::Path;

use backlinkd::model::StoredPage;
use backlinkd::store::{ImportCounts, ImportPolicy};
use rocksdb::{DB, IteratorMode, Options};

use super::*;
use crate::support::dice::Dice;

/// The rows of one column family.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// The time of these imports: later than all visits.
const NOW: u64 = 60_000 * 86_400;

fn policy() -> ImportPolicy {
    ImportPolicy { follow: false, now: NOW }
}

fn open_with(folder: &Path, config: &StoreConfig) -> Store {
    Store::open(folder, config, SUFFIXES.clone()).unwrap()
}

/// Every stored row about pages and links, except for the plan of visits.
#[derive(Debug, PartialEq)]
struct Index {
    pages: Vec<(CanonicalUrl, StoredPage)>,
    rows: BTreeMap<&'static str, Rows>,
    counters: Option<Vec<u8>>,
}

fn rows(db: &DB, family: &str) -> Rows {
    let rows = db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start);
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

/// Closes the store, and reads its rows without any code of the store.
fn read(store: Store) -> Index {
    let without_plan = |page| StoredPage { depth: 0, next_visit: 0, interval: 0, ..page };
    let page = |url: &CanonicalUrl| Some((url.clone(), without_plan(store.page(url).unwrap()?)));
    let pages = web::urls().iter().filter_map(page).collect();
    let directory = store.directory().to_owned();
    store.compact().unwrap();
    drop(store);
    let names = DB::list_cf(&Options::default(), &directory).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), &directory, names, false).unwrap();
    let family = |name| {
        let mut rows = rows(&db, name);
        // The sums of a pair without a link may stay as zeros.
        rows.retain(|_, value| !matches!(name, "pairs" | "referrals") || value.iter().any(|&byte| byte != 0));
        (name, rows)
    };
    let rows_of = ["outlinks", "backlinks", "pairs", "referrals"].map(family).into();
    let counters = rows(&db, "meta").remove(&b"counters"[..]);
    Index { pages, rows: rows_of, counters }
}

/// The index that the crawler's door makes of visits in order.
fn live_index(visits: &[VisitRecord], config: &StoreConfig) -> Index {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), config);
    for visit in visits {
        store.put(std::slice::from_ref(visit)).unwrap();
    }
    read(store)
}

/// Names the first difference, because whole indexes are too long to read.
fn assert_same(found: &Index, expected: &Index) {
    for ((url, page), (expected_url, expected_page)) in found.pages.iter().zip(&expected.pages) {
        assert_eq!((url, page), (expected_url, expected_page));
    }
    let shown = |bytes: &Vec<u8>| bytes.escape_ascii().to_string();
    for (family, expected_rows) in &expected.rows {
        let rows = &found.rows[family];
        for (key, value) in expected_rows {
            assert_eq!(rows.get(key).map(shown), Some(shown(value)), "{family} {}", shown(key));
        }
        let extra = rows.keys().find(|key| !expected_rows.contains_key(*key));
        assert_eq!(extra.map(shown), None, "{family}");
    }
    assert_eq!(found, expected);
}

fn assert_sound(store: &Store) {
    let options = VerifyOptions { memory_bytes: 1 << 20, ..VerifyOptions::default() };
    assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
}

/// Shuffles, and splits into calls of random lengths.
fn shuffled(visits: &[VisitRecord], dice: &mut Dice) -> Vec<Vec<VisitRecord>> {
    let mut visits = visits.to_vec();
    for at in (1..visits.len()).rev() {
        visits.swap(at, dice.below(at as u64 + 1) as usize);
    }
    let mut calls = Vec::new();
    while !visits.is_empty() {
        let rest = visits.split_off(visits.len().min(1 + dice.below(5) as usize));
        calls.push(std::mem::replace(&mut visits, rest));
    }
    calls
}

/// Imports all visits in a random order. Returns the sums of the calls.
fn import_shuffled(store: &Store, visits: &[VisitRecord], dice: &mut Dice) -> ImportCounts {
    let mut sums = ImportCounts::default();
    for call in shuffled(visits, dice) {
        let counts = store.import(&call, policy()).unwrap();
        assert_eq!(counts.stored + counts.known + counts.in_future, call.len() as u64);
        sums.stored += counts.stored;
        sums.known += counts.known;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_imports_gives_the_index_of_the_visits_in_order(
        commits in web::histories(),
        seed in any::<u64>(),
    ) {
        let visits = commits.concat();
        let expected = live_index(&visits, &config());
        let folder = tempfile::tempdir().unwrap();
        let store = open_with(folder.path(), &config());
        let mut dice = Dice(seed);
        let sums = import_shuffled(&store, &visits, &mut dice);
        prop_assert_eq!((sums.stored, sums.known), (visits.len() as u64, 0));
        assert_sound(&store);
        // A second time, nothing changes.
        let number = store.change_number();
        let again = import_shuffled(&store, &visits, &mut dice);
        prop_assert_eq!((again.stored, again.known), (0, visits.len() as u64));
        prop_assert_eq!(store.change_number(), number);
        prop_assert_eq!(store.stats().unwrap().queued, 0);
        prop_assert_eq!(store.unmerged_urls(), 0);
        assert_same(&read(store), &expected);
    }

    /// Visits of one second are in the order of their content, whatever their order of arrival.
    #[test]
    fn visits_of_one_second_have_one_order(commits in web::histories(), seed in any::<u64>()) {
        let mut visits = commits.concat();
        for visit in &mut visits {
            visit.visited -= visit.visited % 43_200;
        }
        let mut dice = Dice(seed);
        let mut import = || {
            let folder = tempfile::tempdir().unwrap();
            let store = open_with(folder.path(), &config());
            import_shuffled(&store, &visits, &mut dice);
            assert_sound(&store);
            read(store)
        };
        assert_same(&import(), &import());
    }
}
