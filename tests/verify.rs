//! Damaged indexes, changed row by row without the store: each kind of damage is found, reported with its column
//! family, and repaired to the content of an undamaged index.

mod blocks;
mod clocks;
mod crawled;
mod damage;
mod times;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use backlinkd::config::StoreConfig;
use backlinkd::model::{SearchRank, Visit, VisitRecord};
use backlinkd::store::{Findings, Store, VerifyOptions};
use backlinkd::urls::{CanonicalUrl, Suffixes};
use proptest::prelude::*;
use rocksdb::{DB, IteratorMode, Options};
use tempfile::TempDir;

use crate::store_history::web::{answered, histories, link, urls};
use crate::support::dice::Dice;

static SUFFIXES: LazyLock<Arc<Suffixes>> = LazyLock::new(|| Arc::new(Suffixes::built_in().unwrap()));

const MEMORY: usize = 1 << 20;

/// The rows of one column family.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(directory: &Path) -> Store {
    let config = StoreConfig {
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        batch_pages: 3,
        ..StoreConfig::default()
    };
    Store::open(directory, &config, SUFFIXES.clone()).unwrap()
}

fn look(store: &Store, memory_bytes: usize) -> Findings {
    store
        .verify(VerifyOptions { repair: false, memory_bytes, ..VerifyOptions::default() }, &mut |_| {})
        .unwrap()
}

fn repair(store: &Store) -> Findings {
    store
        .verify(VerifyOptions { repair: true, memory_bytes: MEMORY, ..VerifyOptions::default() }, &mut |_| {})
        .unwrap()
}

/// Family, kind and number of rows of each finding.
fn told(findings: &Findings) -> Vec<(&'static str, &'static str, u64)> {
    findings.found.iter().map(|finding| (finding.family, finding.what, finding.count)).collect()
}

/// The visits that produce an index: some pages several times, with links that come and go.
fn records() -> Vec<VisitRecord> {
    let mut dice = Dice(41);
    let mut records = Vec::new();
    for day in 0..3u64 {
        for (number, url) in urls().iter().enumerate().take(40) {
            if dice.below(4) == 0 {
                continue;
            }
            let links = (0..dice.below(9)).map(|_| link(urls()[dice.below(84) as usize].as_str())).collect();
            let visited = (19_000 + day) * 86_400 + number as u64;
            records.push(VisitRecord { url: url.clone(), visited, visit: answered(200, links) });
        }
    }
    records
}

fn links_of(record: &VisitRecord) -> usize {
    match &record.visit {
        Visit::Responded(content) => content.links.len(),
        _ => 0,
    }
}

/// An index of these visits, with ranks and a user, compacted on disk: no merge is pending.
fn make(directory: &Path, records: &[VisitRecord]) {
    let store = open(directory);
    store.put(records).unwrap();
    let rank = |url: &CanonicalUrl| (url.clone(), SearchRank(321));
    let host = || vec![("example.com".to_owned(), SearchRank(7))].into_iter();
    store.publish_ranks(&mut urls().iter().map(rank), &mut host(), &mut host()).unwrap();
    store.put_user("alice", "$argon2id$").unwrap();
    store.merge_discovered().unwrap();
    store.compact().unwrap();
}

/// An index that is created once and never reopened. To open a database changes its files, and each test runs in
/// parallel to the others, so the original path is private.
struct Made(TempDir);

impl Made {
    fn of(records: &[VisitRecord]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), records);
        Self(folder)
    }

    fn copy(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("seen")).unwrap();
        for part in ["", "seen"] {
            for file in std::fs::read_dir(self.0.path().join(part)).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    std::fs::copy(file.path(), folder.path().join(part).join(file.file_name())).unwrap();
                }
            }
        }
        folder
    }
}

/// An index of [`records`].
static LARGE: LazyLock<Made> = LazyLock::new(|| Made::of(&records()));

/// Changes the database without any code of the store. No merge may be pending.
pub fn behind_its_back<T>(directory: &Path, act: impl FnOnce(&DB) -> T) -> T {
    let names = DB::list_cf(&Options::default(), directory).unwrap();
    act(&DB::open_cf(&Options::default(), directory, names).unwrap())
}

fn rows(db: &DB, family: &str) -> Rows {
    let rows = db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start);
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

/// All answers about pages and links, except for the version numbers; pairs whose links are all lost are left out.
fn dump(directory: &Path) -> BTreeMap<&'static str, Rows> {
    behind_its_back(directory, |db| {
        ["pages", "outlinks", "backlinks", "pairs", "referrals", "schedule", "ranks", "meta"]
            .map(|family| {
                let mut rows = rows(db, family);
                if matches!(family, "pairs" | "referrals") {
                    rows.retain(|_, value| value.iter().any(|&byte| byte != 0));
                }
                // A rebuilt seen set has other files.
                rows.remove(&b"sieve"[..]);
                (family, rows)
            })
            .into()
    })
}

#[test]
fn a_crawled_index_is_sound_for_any_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(look(&store, MEMORY), Findings::default(), "an empty index");
    let folder = LARGE.copy();
    let store = open(folder.path());
    let mut rows = 0;
    let findings = store.verify(
        VerifyOptions { repair: true, memory_bytes: 1, ..VerifyOptions::default() },
        &mut |now| {
            rows += now.rows;
        },
    );
    assert_eq!(findings.unwrap(), Findings::default());
    assert_eq!(look(&store, MEMORY), Findings::default());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn every_history_leaves_a_sound_index(commits in histories()) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for records in &commits {
            store.put(records).unwrap();
            prop_assert_eq!(look(&store, MEMORY), Findings::default());
        }
        store.merge_discovered().unwrap();
        prop_assert_eq!(look(&store, MEMORY), Findings::default());
    }
}

#[test]
fn leftover_ranks_are_removed_with_the_next_ones() {
    let folder = LARGE.copy();
    // A process that is killed right after the next ranks became current leaves the former ones behind.
    let stale = [&[0, 0, 0, 0, 2], &b"example.com"[..]].concat();
    behind_its_back(folder.path(), |db| db.put_cf(db.cf_handle("ranks").unwrap(), &stale, [0, 7]).unwrap());
    let store = open(folder.path());
    let mut rank = [("example.com".to_owned(), SearchRank(7))].into_iter();
    store.publish_ranks(&mut std::iter::empty(), &mut std::iter::empty(), &mut rank).unwrap();
    drop(store);
    let ranks = &dump(folder.path())["ranks"];
    let expected = [&[0, 0, 0, 2, 2], &b"example.com"[..]].concat();
    assert_eq!(ranks.keys().collect::<Vec<_>>(), [&expected]);
}

#[test]
fn missing_derived_rows_are_counted_and_rebuilt() {
    let folder = LARGE.copy();
    let before = dump(folder.path());
    behind_its_back(folder.path(), |db| {
        for family in ["backlinks", "pairs", "referrals", "changes"] {
            let handle = db.cf_handle(family).unwrap();
            for key in rows(db, family).into_keys().filter(|key| key != b"\x00") {
                db.delete_cf(handle, key).unwrap();
            }
        }
        db.delete_cf(db.cf_handle("meta").unwrap(), b"counters").unwrap();
    });
    let store = open(folder.path());
    let gone = |family: &str| before[family].len() as u64;
    for memory_bytes in [1, MEMORY] {
        let findings = look(&store, memory_bytes);
        let count = |family| {
            findings.found.iter().filter(|found| found.family == family).map(|found| found.count).sum::<u64>()
        };
        assert_eq!(
            ["backlinks", "pairs", "referrals"].map(count),
            ["backlinks", "pairs", "referrals"].map(gone)
        );
        assert_eq!(count("meta"), 5);
        assert!(count("changes") > 3);
        assert!(!findings.is_clean());
    }
    let number = store.change_number();
    assert_eq!(repair(&store).left, []);
    assert!(store.change_number() > number, "whoever keeps answers must notice");
    drop(store);
    assert!(dump(folder.path()) == before);
}

/// A page whose own rows are damaged is treated as never visited.
#[test]
fn an_unreadable_page_is_removed_with_all_derived_data() {
    let records = records();
    let lost = records.iter().find(|record| links_of(record) > 5).unwrap().url.clone();
    let others: Vec<VisitRecord> = records.iter().filter(|record| record.url != lost).cloned().collect();
    let (damaged, without) = (LARGE.copy(), tempfile::tempdir().unwrap());
    make(without.path(), &others);
    let key = backlinkd::urls::Surt::from(&lost).as_bytes().to_vec();
    behind_its_back(damaged.path(), |db| {
        db.put_cf(db.cf_handle("pages").unwrap(), &key, b"\xff\xff").unwrap();
    });
    let store = open(damaged.path());
    let findings = repair(&store);
    let told = told(&findings);
    assert!(told.contains(&("pages", "rows that cannot be read", 1)), "{told:?}");
    assert!(told.contains(&("outlinks", "lists of links without a page", 1)), "{told:?}");
    let shown = findings.found.iter().find(|finding| finding.family == "pages").unwrap().to_string();
    assert_eq!(shown, format!("pages: rows that cannot be read: 1, such as {lost}"));
    assert_eq!(findings.left, []);
    assert_eq!(store.snapshot().page(&lost).unwrap(), None);
    drop(store);
    let (mut damaged, mut without) = (dump(damaged.path()), dump(without.path()));
    for dump in [&mut damaged, &mut without] {
        // Random values.
        dump.get_mut("meta").unwrap().remove(&b"token-key"[..]);
        // A page that was scheduled for another visit will be visited.
        dump.remove("schedule");
    }
    assert!(damaged == without);
}
