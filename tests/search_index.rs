//! Search indexes: complete or declared incomplete, recent enough, equal after a restart, within their budgets, and
//! consistent with the counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backlinkd::api::ENDPOINTS;
use backlinkd::config::{SearchConfig, Span, StoreConfig};
use backlinkd::model::VisitRecord;
use backlinkd::query::{
    Deadline, IndexAnswer, LinkStates, ListQuery, Listing, RowPage, SameDomainLinks, SearchIndexes,
    Selection, WaitPolicy, Window,
};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes, UrlRules};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::web::{link, page, random, url};

/// A store and its search indexes, which can be closed and reopened.
struct Index {
    folder: TempDir,
    config: SearchConfig,
    open: Option<(Arc<Store>, SearchIndexes)>,
}

fn exact() -> SearchConfig {
    SearchConfig { refresh: Span::seconds(0), ..SearchConfig::default() }
}

impl Index {
    fn new(records: &[VisitRecord], config: SearchConfig) -> Self {
        let mut index = Self { folder: tempfile::tempdir().unwrap(), config, open: None };
        index.reopen();
        index.put(records);
        index
    }

    fn reopen(&mut self) {
        self.open = None;
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let path = self.folder.path().join("data");
        let store = Arc::new(Store::open(&path, &StoreConfig::default(), suffixes).unwrap());
        let searches = SearchIndexes::open(Arc::clone(&store), self.config.clone()).unwrap();
        self.open = Some((store, searches));
    }

    fn put(&self, records: &[VisitRecord]) {
        self.open.as_ref().unwrap().0.put(records).unwrap();
    }

    fn searches(&self) -> &SearchIndexes {
        &self.open.as_ref().unwrap().1
    }

    fn ask(&self, endpoint: &str, scope: &str, window: Window, patience: WaitPolicy) -> IndexAnswer<RowPage> {
        let listing = listing(endpoint);
        let plan = listing.plan(None, std::iter::empty()).unwrap();
        let question = ListQuery { listing, link_states: LinkStates::Active, plan: &plan, wait: patience };
        self.searches().page(&selection(scope), &question, window, &deadline()).unwrap()
    }

    /// All rows, after the index is complete.
    fn all(&self, endpoint: &str, scope: &str) -> Value {
        let found = self.ask(endpoint, scope, Window { offset: 0, limit: 100_000 }, WaitPolicy::Full);
        assert!(found.is_complete, "{endpoint} {scope}");
        assert_eq!(found.answer.count, found.answer.rows());
        serde_json::to_value(&found.answer).unwrap()
    }

    fn backlinks(&self, scope: &str) -> u64 {
        self.searches().counts(&selection(scope), &deadline()).unwrap().answer.all.backlinks
    }

    fn is_ready(&self, endpoint: &str, scope: &str) -> bool {
        self.searches().is_ready(&selection(scope), listing(endpoint)).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("data/searches");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Waits for this number of files, which are written some time after the answer.
    fn wait_for_files(&self, count: usize) -> Vec<PathBuf> {
        let start = Instant::now();
        loop {
            let files = self.files();
            if files.len() == count && files.iter().all(|file| file.extension().is_some_and(|e| e == "index"))
            {
                return files;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{files:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn listing(endpoint: &str) -> &'static Listing {
    ENDPOINTS.iter().find(|known| known.name == endpoint).unwrap().handler.listing().unwrap()
}

fn selection(scope: &str) -> Arc<Selection> {
    let suffixes = Suffixes::built_in().unwrap();
    let scope = Scope::parse(scope, None, &UrlRules::default(), &suffixes).unwrap();
    Arc::new(Selection { scope, internal: SameDomainLinks::Include })
}

/// A domain with this number of backlinks, each from its own page.
fn linked(count: usize) -> Vec<VisitRecord> {
    let source = |number: usize| {
        let links =
            vec![link(&format!("http://target.example/{}", number % 9), &format!("text {}", number % 7))];
        page(&format!("http://s{}.example/{number}", number % 11), "192.0.2.7", "SE", links)
    };
    (0..count).map(source).collect()
}

const GROUPED: [&str; 6] = ["linktexts", "linkedpages", "referringdomains", "tldlist", "iplist", "tagtypes"];

#[test]
fn an_answer_is_declared_unfinished_until_all_rows_are_read() {
    let patience = Span(Duration::ZERO);
    // Too many to be read between two checks.
    let index = Index::new(&linked(20_000), SearchConfig { preview_rows: 20, patience, ..exact() });
    let window = Window { offset: 0, limit: 1_000 };
    assert!(!index.is_ready("backlinks", "target.example"));
    let first = index.ask("backlinks", "target.example", window, WaitPolicy::Short);
    assert_eq!((first.is_complete, first.answer.count), (false, 20));
    let start = Instant::now();
    let whole = loop {
        let found = index.ask("backlinks", "target.example", window, WaitPolicy::Short);
        if found.is_complete {
            break found;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    };
    assert_eq!(whole.answer.count, 20_000);
    assert!(index.is_ready("backlinks", "target.example") && index.is_ready("linktexts", "target.example"));
    assert!(!index.is_ready("outgoinglinks", "target.example"));
    // A query whose answer cannot declare missing rows waits for all of them.
    let statistics = Index::new(&linked(500), SearchConfig { preview_rows: 20, ..exact() });
    let statistics =
        statistics.searches().statistics(&selection("target.example"), &deadline()).unwrap().answer;
    assert_eq!(statistics.by_rank[0], 500);
}

#[test]
fn an_index_is_rebuilt_when_its_scope_has_changed_and_it_is_old_enough() {
    let more = page("http://new.example/", "192.0.2.8", "DE", vec![link("http://target.example/", "new")]);
    let foreign = page("http://new.example/2", "192.0.2.8", "DE", vec![link("http://other.example/", "new")]);
    for (refresh, rows) in [(0, 31), (3_600, 30)] {
        let config = SearchConfig { refresh: Span::seconds(refresh), ..exact() };
        let index = Index::new(&linked(30), config);
        let before = index.all("backlinks", "target.example");
        index.put(std::slice::from_ref(&foreign));
        assert_eq!(index.all("backlinks", "target.example"), before);
        index.put(std::slice::from_ref(&more));
        for endpoint in ["backlinks", "linktexts"] {
            assert_eq!(index.is_ready(endpoint, "target.example"), refresh > 0, "{endpoint}");
        }
        assert_eq!(index.all("backlinks", "target.example").as_array().unwrap().len(), rows);
        let texts = index.all("linktexts", "target.example");
        let frequency = |row: &Value| row["frequency"].as_u64().unwrap();
        assert_eq!(texts.as_array().unwrap().iter().map(frequency).sum::<u64>(), rows as u64);
        // Counts are always up to date.
        assert_eq!(index.backlinks("target.example"), 31);
    }
}

#[test]
fn new_ranks_rebuild_an_index() {
    let index = Index::new(&linked(3), exact());
    assert_eq!(index.all("backlinks", "target.example")[0]["sr"], 0);
    let store = &index.open.as_ref().unwrap().0;
    let ranked = backlinkd::model::SearchRank(486);
    let mut pages = [(url("http://s2.example/2"), ranked)].into_iter();
    store
        .publish_ranks(
            &mut pages,
            &mut std::iter::empty(),
            &mut [("s2.example".to_owned(), ranked)].into_iter(),
        )
        .unwrap();
    let rows = index.all("backlinks", "target.example");
    assert_eq!((&rows[0]["sr"], &rows[0]["backlinkpage"]), (&json!(4.86), &json!("http://s2.example/2")));
    let domains = index.all("referringdomains", "target.example");
    let ranks: Vec<&Value> = domains.as_array().unwrap().iter().map(|row| &row["sr"]).collect();
    assert!(ranks.contains(&&json!(4.86)), "{ranks:?}");
}

/// The answers of an index, by endpoint: all rows, and a few in the middle.
fn answers(index: &Index) -> Vec<(Value, Value)> {
    let window = Window { offset: 3, limit: 4 };
    let part = |endpoint| index.ask(endpoint, "target.example", window, WaitPolicy::Full).answer;
    GROUPED
        .iter()
        .chain(&["backlinks"])
        .map(|endpoint| {
            let part = part(endpoint);
            let part = json!([part, part.count]);
            (index.all(endpoint, "target.example"), part)
        })
        .collect()
}

#[test]
fn an_index_survives_a_restart() {
    let config = SearchConfig { disk_min_rows: 1, preview_rows: 20, ..exact() };
    let mut index = Index::new(&linked(2_000), config);
    let before = answers(&index);
    let statistics = index.searches().statistics(&selection("target.example"), &deadline()).unwrap().answer;
    let files = index.wait_for_files(1 + GROUPED.len());
    let written = |files: &[PathBuf]| -> Vec<Vec<u8>> {
        files.iter().map(|file| std::fs::read(file).unwrap()).collect()
    };
    let bytes = written(&files);

    index.reopen();
    assert!(index.is_ready("backlinks", "target.example") && index.is_ready("tldlist", "target.example"));
    // A page within the first rows, before any other row is read.
    let window = Window { offset: 10, limit: 5 };
    let shown = index.ask("backlinks", "target.example", window, WaitPolicy::Full).answer;
    assert_eq!((shown.count, json!(shown)), (2_000, json!(before[6].0.as_array().unwrap()[10..15])));
    // Beyond them.
    let window = Window { offset: 1_500, limit: 5 };
    let shown = index.ask("backlinks", "target.example", window, WaitPolicy::Full).answer;
    assert_eq!((shown.count, json!(shown)), (2_000, json!(before[6].0.as_array().unwrap()[1_500..1_505])));
    assert_eq!(answers(&index), before);
    assert_eq!(
        index.searches().statistics(&selection("target.example"), &deadline()).unwrap().answer,
        statistics
    );
    assert_eq!(written(&index.wait_for_files(files.len())), bytes);

    // A change while no server ran.
    let more = page("http://new.example/", "192.0.2.8", "DE", vec![link("http://target.example/", "new")]);
    index.put(&[more]);
    index.reopen();
    assert!(!index.is_ready("backlinks", "target.example"));
    assert_eq!(index.all("backlinks", "target.example").as_array().unwrap().len(), 2_001);
}

/// A few bytes of each file are changed; each byte in turn would take too long.
#[test]
fn a_damaged_file_is_rebuilt() {
    let config = SearchConfig { disk_min_rows: 1, preview_rows: 20, ..exact() };
    let mut index = Index::new(&linked(200), config);
    let before = answers(&index);
    let count = index.wait_for_files(1 + GROUPED.len()).len();
    for round in 0..12 {
        for file in index.wait_for_files(count) {
            let mut bytes = std::fs::read(&file).unwrap();
            match round {
                0 => bytes.truncate(bytes.len() / 2),
                1 => bytes.clear(),
                _ => {
                    let at = bytes.len() * round / 12;
                    bytes[at] ^= 0x55;
                }
            }
            std::fs::write(&file, bytes).unwrap();
        }
        index.reopen();
        assert_eq!(answers(&index), before, "{round}");
    }
}

#[test]
fn files_stay_within_their_budget_and_the_oldest_is_evicted_first() {
    let scopes: Vec<String> = (0..9).map(|number| format!("http://target.example/{number}")).collect();
    let bytes_of = |files: &[PathBuf]| files.iter().map(|file| file_size(file)).sum::<u64>();
    let config = SearchConfig { disk_min_rows: 1, preview_rows: 1, ..exact() };
    let index = Index::new(&linked(900), config.clone());
    index.all("backlinks", &scopes[0]);
    let one = bytes_of(&index.wait_for_files(1));

    let budget = one * 7 / 2;
    let mut index = Index::new(&linked(900), SearchConfig { disk_bytes: budget, ..config });
    for (at, scope) in scopes.iter().enumerate() {
        let before = index.files();
        index.all("backlinks", scope);
        // The file is written after the first answer.
        wait_until(|| index.files() != before && index.files().len() == (at + 1).min(3));
    }
    assert!(bytes_of(&index.files()) <= budget);
    index.reopen();
    let ready: Vec<bool> = scopes.iter().map(|scope| index.is_ready("backlinks", scope)).collect();
    assert_eq!(ready, [false, false, false, false, false, false, true, true, true]);
    // A smaller budget applies from the next start on; zero keeps no file.
    index.config.disk_bytes = one * 3 / 2;
    index.reopen();
    assert_eq!(index.files().len(), 1);
}

fn wait_until(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn file_size(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

#[test]
fn a_memory_too_small_for_any_index_still_answers() {
    let config = SearchConfig { memory_bytes: 1 << 20, ..exact() };
    let index = Index::new(&linked(6_000), config);
    for _ in 0..2 {
        assert_eq!(index.all("backlinks", "target.example").as_array().unwrap().len(), 6_000);
        assert_eq!(index.all("linktexts", "target.example").as_array().unwrap().len(), 7);
    }
}

/// Many clients query a new scope at once.
#[test]
fn simultaneous_queries_get_the_same_answer() {
    let index = Index::new(&linked(3_000), SearchConfig { preview_rows: 50, ..exact() });
    let expected = {
        let other = Index::new(&linked(3_000), exact());
        other.all("linktexts", "target.example")
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(index.all("linktexts", "target.example"), expected));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// After every few visits, all answers about one scope agree. Some visits are recrawls by which links are lost and
    /// return.
    #[test]
    fn counts_facts_and_lists_always_agree(seed in 1u64.., external in any::<bool>(), chunk in 1usize..40) {
        let index = Index::new(&[], exact());
        for records in random(seed, 120).chunks(chunk) {
            index.put(records);
            for scope in ["example.com", "www.example.com", "http://example.com/", "a.co.uk", "example.com:8080"] {
                agree(&index, scope, external)?;
            }
        }
    }
}

fn agree(index: &Index, scope: &str, external: bool) -> Result<(), TestCaseError> {
    let internal = if external { SameDomainLinks::Exclude } else { SameDomainLinks::Include };
    let selection = Arc::new(Selection { internal, ..(*selection(scope)).clone() });
    let rows = |endpoint| {
        let listing = listing(endpoint);
        let plan = listing.plan(None, std::iter::empty()).unwrap();
        let question =
            ListQuery { listing, link_states: LinkStates::Active, plan: &plan, wait: WaitPolicy::Full };
        let window = Window { offset: 0, limit: 10_000 };
        let found = index.searches().page(&selection, &question, window, &deadline()).unwrap();
        serde_json::to_value(&found.answer).unwrap().as_array().unwrap().clone()
    };
    let sum = |endpoint, key: &str| rows(endpoint).iter().map(|row| row[key].as_u64().unwrap()).sum::<u64>();
    let counts = index.searches().counts(&selection, &deadline()).unwrap().answer;
    let statistics = index.searches().statistics(&selection, &deadline()).unwrap().answer;
    let links = rows("backlinks");
    let number = |of: &dyn Fn(&Value) -> bool| links.iter().filter(|row| of(row)).count() as u64;
    prop_assert_eq!(counts.all.backlinks, links.len() as u64);
    prop_assert_eq!(counts.nofollow, number(&|row| row["nofollow"] == true));
    prop_assert_eq!(counts.text, number(&|row| row["tag"] == "a"));
    prop_assert_eq!(counts.image, number(&|row| row["tag"] == "aimg" || row["tag"] == "area"));
    prop_assert_eq!(statistics.by_rank.iter().sum::<u64>(), counts.all.backlinks);
    for (endpoint, key) in [
        ("linktexts", "frequency"),
        ("linkedpages", "frequency"),
        ("tagtypes", "frequency"),
        ("tldlist", "links"),
        ("geolocationshort", "links"),
        ("referringdomains", "links"),
    ] {
        prop_assert_eq!(sum(endpoint, key), counts.all.backlinks, "{}", endpoint);
    }
    prop_assert_eq!(rows("referringdomains").len() as u64, counts.all.refdoms);
    prop_assert_eq!(sum("tldlist", "diffdomains"), counts.all.refdoms);
    prop_assert_eq!(rows("iplist").len() as u64, statistics.addresses.ipv4 + statistics.addresses.ipv6);
    if let Some(last) = statistics.history.last() {
        prop_assert_eq!(last.active, counts.all);
    }
    Ok(())
}
