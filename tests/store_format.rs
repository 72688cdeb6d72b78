//! The stored format: the column families, keys and values as `store::schema` documents them, byte by byte, and the
//! directories that can be opened.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use backlinkd::config::StoreConfig;
use backlinkd::model::{
    DiscoveredUrl, Disposition, FailureKind, Lane, Link, LinkTag, PageContent, PageFacts, Place, Priority,
    QueueEntry, QueueName, Rel, SearchRank, SitemapGrant, Target, Visit, VisitRecord,
};
use backlinkd::store::{COLUMN_FAMILIES, Commit, FORMAT, ImportPolicy, Store, StoreError};
use backlinkd::urls::{CanonicalUrl, Scope, Suffixes, UrlRules};
use proptest::prelude::*;
use rocksdb::{DB, Options};

use crate::support::go_on;

const PAGE: &str = "http://www.example.com/a";

fn config() -> StoreConfig {
    StoreConfig { block_cache_bytes: 1 << 20, write_buffer_bytes: 1 << 20, ..StoreConfig::default() }
}

fn suffixes() -> Arc<Suffixes> {
    Arc::new(Suffixes::parse("com\norg\n").unwrap())
}

fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(directory, &config(), suffixes())
}

fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

fn refusal(directory: &Path) -> String {
    open(directory).err().expect("the directory should be refused").to_string()
}

/// Closes the store and reads its database without any code of the store.
fn raw(store: Store) -> (DB, Vec<String>) {
    let directory = store.directory().to_owned();
    store.compact().unwrap();
    drop(store);
    let names = DB::list_cf(&Options::default(), &directory).unwrap();
    (DB::open_cf_for_read_only(&Options::default(), directory, &names, false).unwrap(), names)
}

fn rows(db: &DB, family: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let family = db.cf_handle(family).unwrap();
    let rows = db.iterator_cf(family, rocksdb::IteratorMode::Start);
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

fn record() -> VisitRecord {
    let link = |target: &str, rel, anchor: &str| Link {
        target: url(target),
        tag: LinkTag::A,
        rel,
        anchor: anchor.into(),
    };
    VisitRecord {
        url: url(PAGE),
        visited: 100 * 86_400 + 5,
        visit: Visit::Responded(Box::new(PageContent {
            facts: PageFacts {
                status: 200,
                html: true,
                content_type: "text/html".to_owned(),
                charset: "utf-8".to_owned(),
                title: "T".to_owned(),
                ip: Some("192.0.2.1".parse().unwrap()),
                place: Place { ccode: "DE".to_owned(), country: "Germany".to_owned(), city: String::new() },
                digest: 0x0807_0605_0403_0201,
                etag: "\"e\"".to_owned(),
                ..PageFacts::default()
            },
            links: vec![
                link("https://b.org/x", Rel::NOFOLLOW, "t"),
                link("http://www.example.com/b", Rel::NONE, ""),
            ],
            ..PageContent::default()
        })),
    }
}

#[test]
fn the_column_families_are_those_documented() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut names) = raw(open(folder.path()).unwrap());
    names.retain(|name| name != "default");
    assert_eq!(names, COLUMN_FAMILIES);
}

#[test]
fn a_page_with_its_links_is_written_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(&[record()]).unwrap();
    let (db, _) = raw(store);
    // Title, address (4 bytes), place, internal and external links, day.
    let source = b"\x01T\x04\xc0\x00\x02\x01\x02DE\x07Germany\x00\x01\x01\x64".as_slice();
    let page = [
        // Flags (HTML), status, last failure, failures, first and last day, time of the visit, digest.
        b"\x01\xc8\x01\x00\x00\x64\x64\x85\xac\x8f\x04\x01\x02\x03\x04\x05\x06\x07\x08",
        source,
        b"\x00\x09text/html\x05utf-8\x00\x03\"e\"\x00",
        // Depth, next visit, interval.
        b"\x00\x85\xa1\xb4\x04\x80\xf5\x24",
    ];
    assert_eq!(rows(&db, "pages"), [(b"com,example,www,)/a\x01".to_vec(), page.concat())]);
    // Two links: tags with the external bit, rel values, positions, seqs, days, absences, targets, anchor texts.
    let outlinks =
        b"\x02\x10\x00\x01\x00\x02\x02\x00\x00\xc8\x01\x00\x00\x00\x04\x0bs://b.org/x\x17\x01b\x01t\x00";
    assert_eq!(rows(&db, "outlinks"), [(b"com,example,www,)/a\x01".to_vec(), outlinks.to_vec())]);
    // Tag, rel values, position, first day, absences, blpcount, anchor text, page.
    let backlink = [b"\x00\x01\x01\x64\x00\x01\x01t".as_slice(), source].concat();
    assert_eq!(rows(&db, "backlinks"), [(b"org,b,)/x\x02com,example,www,)/a\x01\x00".to_vec(), backlink)]);
    // Links, nofollow, text, image, home.
    let pair = (b"org,b,\x00com,example,www,".to_vec(), b"\x02\x02\x02\x00\x00".to_vec());
    assert_eq!(rows(&db, "pairs"), [pair]);
    assert_eq!(rows(&db, "referrals"), [(b"com,example,www,\x00org,b,".to_vec(), b"\x02".to_vec())]);
    // Any change, links into b.org, pages of example.com: all changed by the first commit.
    let changes = [&b"\x00"[..], b"\x01org,b,", b"\x02com,example,"].map(|key| (key.to_vec(), vec![1]));
    assert_eq!(rows(&db, "changes"), changes);
    let meta = rows(&db, "meta");
    assert!(meta.contains(&(b"format".to_vec(), b"\x06".to_vec())));
    // Visited, HTML, active, external, inactive.
    assert!(meta.contains(&(b"counters".to_vec(), b"\x02\x02\x04\x02\x00".to_vec())));
}

#[test]
fn a_history_is_written_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.import(&[record()], ImportPolicy::default()).unwrap();
    let (db, _) = raw(store);
    let key = b"com,example,www,)/a\x01";
    // Marks: the crawl does not know the page, and the page has one visit.
    assert_eq!(rows(&db, "visits"), [(key.to_vec(), b"\x05".to_vec())]);
    drop(db);
    let store = open(folder.path()).unwrap();
    let failed = Visit::Failed(FailureKind::Timeout, "why".to_owned());
    let older = VisitRecord { visited: 99 * 86_400, visit: failed, ..record() };
    let confirmed = VisitRecord { visited: 101 * 86_400, visit: Visit::NotModified, ..record() };
    store.import(&[older, confirmed], ImportPolicy::default()).unwrap();
    let (db, _) = raw(store);
    let row = rows(&db, "visits").remove(0).1;
    // Marks, length of the visits, and the visits, compressed.
    let length = usize::from(row[1] & 0x7f) | usize::from(row[2]) << 7;
    let visits = zstd::bulk::decompress(&row[3..], length).unwrap();
    assert_eq!((row[0], visits.len()), (1, length));
    // Each visit: its length, time, kind and content.
    assert!(visits.starts_with(b"\x0d\0\0\0\0\0\x82\x84\x80\x04\x05why"), "{visits:?}");
    assert!(visits.ends_with(b"\x09\0\0\0\0\0\x85\x27\x80\x03"), "{visits:?}");
}

#[test]
fn due_pages_are_queued_by_their_due_time_before_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let entry = |text: &str| QueueEntry {
        url: url(text),
        priority: Priority::Seed,
        depth: 0,
        attempts: 0,
        target: Target::Page,
    };
    let due = [("http://b.org/z", 0x0102), ("http://b.org/a", 0x0304), ("http://b.org/k", 0x0203)];
    let dispositions = due.map(|(text, due)| (entry(text), Disposition::Postponed(due))).to_vec();
    let found =
        vec![DiscoveredUrl::page(url("http://b.org/new"), 0), DiscoveredUrl::seed(url("http://b.org/seed"))];
    store.commit(Commit { dispositions, discovered: found, ..Commit::default() }).unwrap();
    store.merge_discovered().unwrap();
    let (arrivals, count) = store.take_due(0x0303, 9).unwrap();
    assert_eq!((arrivals.len(), arrivals[0].priority, count), (1, Priority::Revisit(0x0102), 2));
    assert_eq!(store.take_due(0x0304, 9).unwrap().1, 1);

    let queue = QueueName::of(&url("http://b.org/"));
    let queued =
        |lane, after: Option<&QueueEntry>, most| store.entries_of_lane(&queue, lane, after, most).unwrap();
    let paths = |entries: &[QueueEntry]| -> Vec<String> {
        entries.iter().map(|entry| entry.url.path_and_query().to_owned()).collect()
    };
    let wanted = queued(Lane::Unbudgeted, None, 9);
    assert_eq!(paths(&wanted), ["/seed", "/z", "/k", "/a"]);
    assert_eq!(paths(&queued(Lane::Unbudgeted, Some(&wanted[1]), 1)), ["/k"]);
    assert_eq!(paths(&queued(Lane::Unbudgeted, Some(&wanted[3]), 9)), [""; 0]);
    let new = queued(Lane::New, None, 9);
    assert_eq!(paths(&new), ["/new"]);
    assert_eq!(paths(&queued(Lane::New, new.first(), 9)), [""; 0]);
    let (db, _) = raw(store);
    let last = (b"org,b,)\x01\x02\x00\x00\x03\x04org,b,)/a\x01".to_vec(), b"\x00\x00\x00".to_vec());
    assert_eq!(rows(&db, "frontier")[3], last);
}

#[test]
fn the_queue_and_ranks_are_written_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let found = |text: &str| DiscoveredUrl::page(url(text), 3);
    let found = ["https://b.org/x", "http://b.org:81/", "http://b.org:82/", "http://b.org:82/2"].map(found);
    let commit = Commit { discovered: found.to_vec(), ..Commit::default() };
    assert_eq!(store.commit(commit).unwrap().len(), 0);
    assert_eq!((store.unmerged_urls(), store.seen_urls()), (4, 0));
    assert_eq!(store.merge_discovered().unwrap().len(), 3);
    assert_eq!((store.unmerged_urls(), store.seen_urls()), (0, 4));
    let priority = Priority::New(3);
    let queued = |text: &str, attempts| QueueEntry {
        url: url(text),
        priority,
        depth: 3,
        attempts,
        target: Target::Page,
    };
    let dispositions = vec![
        (queued("https://b.org/x", 1), Disposition::Retry),
        (queued("http://b.org:81/", 0), Disposition::Fetched),
        // Not fetched, hence not counted.
        (queued("http://b.org:82/", 0), Disposition::Postponed(0x102)),
        (queued("http://b.org:82/2", 0), Disposition::Withdrawn),
    ];
    let mut last =
        vec![DiscoveredUrl::page(url("http://b.org/met"), 1), DiscoveredUrl::seed(url("http://b.org/seed"))];
    let named = SitemapGrant { own_domain: false, hosts: vec!["a.org:81".into(), "é".into()], level: 2 };
    for (address, grant) in [("http://b.org/1.xml", SitemapGrant::at_level(0)), ("http://b.org/2.xml", named)]
    {
        let (url, priority, target) = (url(address), Priority::Sitemap, Target::Sitemap(Box::new(grant)));
        last.push(DiscoveredUrl { url, priority, depth: 0, target });
    }
    let asleep = vec![(QueueName::of(&url("http://b.org:82/")), 9)];
    let commit = Commit { dispositions, backoffs: asleep, discovered: last, ..Commit::default() };
    let arrivals = store.commit(commit).unwrap();
    assert_eq!(arrivals.len(), 1);
    assert_eq!((arrivals[0].url.as_str(), arrivals[0].priority), ("http://b.org/seed", Priority::Seed));
    let pages = vec![(url("https://b.org/x"), SearchRank(0x0102)), (url("http://zero.org/"), SearchRank(0))];
    let host = || vec![("b.org".to_owned(), SearchRank(7))].into_iter();
    store.publish_ranks(&mut pages.into_iter(), &mut host(), &mut host()).unwrap();
    let (db, _) = raw(store);
    // Attempts, depth, a page. For a sitemap: its level plus one; then, unless it lists only its own domain, whether it
    // may list that domain, and the hosts that it may list.
    let entries = [
        (b"org,b,)\x01\x00org,b,)/seed\x01".to_vec(), b"\x00\x00\x00".to_vec()),
        (b"org,b,)\x01\x01org,b,)/1.xml\x01".to_vec(), b"\x00\x00\x01".to_vec()),
        (b"org,b,)\x01\x01org,b,)/2.xml\x01".to_vec(), b"\x00\x00\x03\x00\x08a.org:81\x02\xc3\xa9".to_vec()),
        (b"org,b,)\x02\x03\x00\x03org,b,)/x\x02".to_vec(), b"\x01\x03\x00".to_vec()),
    ];
    assert_eq!(rows(&db, "frontier"), entries);
    let scheduled = (b"\0\0\0\0\0\0\x01\x02org,b,:82)/\x01".to_vec(), b"\x03\x01".to_vec());
    assert_eq!(rows(&db, "schedule"), [scheduled]);
    // Pages, visits, failures, end of the back-off, last visits.
    let hosts = [
        (b"org,b,:81)\x01".to_vec(), b"\x01\x00\x00\x00\x00".to_vec()),
        (b"org,b,:82)\x01".to_vec(), b"\x00\x00\x00\x09\x00".to_vec()),
    ];
    assert_eq!(rows(&db, "hosts"), hosts);
    // Priority, depth, whether it is queued, a page, length, URL.
    let met = b"\x03\x00\x01\x01\x00\x00\x0corg,b,)/met\x01\x00\x00\x01\x00\x0dorg,b,)/seed\x01";
    assert_eq!(rows(&db, "met"), [(1u64.to_be_bytes().to_vec(), met.to_vec())]);
    let mut known = ["org,b,)/x\x02", "org,b,:81)/\x01", "org,b,:82)/\x01", "org,b,:82)/2\x01"]
        .map(|surt| xxhash_rust::xxh3::xxh3_64(surt.as_bytes()));
    known.sort_unstable();
    let known = known.map(u64::to_le_bytes).concat();
    assert_eq!(std::fs::read(folder.path().join("seen/000000000000.run")).unwrap(), known);
    let mut run = b"\x00\x04".to_vec();
    run.extend(xxhash_rust::xxh3::xxh3_64(&known).to_le_bytes());
    assert!(rows(&db, "meta").contains(&(b"sieve".to_vec(), run)));
    let ranks = [
        (b"\x00\x00\x00\x01\x00org,b,)/x\x02".to_vec(), b"\x01\x02".to_vec()),
        (b"\x00\x00\x00\x01\x01b.org".to_vec(), b"\x00\x07".to_vec()),
        (b"\x00\x00\x00\x01\x02b.org".to_vec(), b"\x00\x07".to_vec()),
    ];
    assert_eq!(rows(&db, "ranks"), ranks);
    assert!(rows(&db, "meta").contains(&(b"rank-generation".to_vec(), b"\x01".to_vec())));
    // Queries do not show the queue; they show ranks.
    assert_eq!(rows(&db, "changes"), [(b"\x00".to_vec(), b"\x01".to_vec())]);
}

/// Changes the database without the store.
pub fn write_raw(directory: &Path, family: &str, key: &[u8], value: &[u8]) {
    let names = DB::list_cf(&Options::default(), directory).unwrap();
    let db = DB::open_cf(&Options::default(), directory, names).unwrap();
    db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
}

#[test]
fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    write_raw(folder.path(), "meta", b"format", b"\x03");
    assert!(matches!(open(folder.path()), Err(StoreError::Format { found: 3, expected: FORMAT, .. })));
    let sentence = refusal(folder.path());
    assert!(sentence.contains("has format 3") && sentence.contains("reads format 6"), "{sentence}");
    assert!(sentence.contains("use the version that wrote it, or crawl into a new"), "{sentence}");
    write_raw(folder.path(), "meta", b"format", b"\x07");
    assert!(matches!(open(folder.path()), Err(StoreError::Format { found: 7, expected: FORMAT, .. })));
}

#[test]
fn an_earlier_format_is_upgraded_unless_the_configuration_refuses() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    write_raw(folder.path(), "meta", b"format", b"\x04");
    let keep = StoreConfig { upgrade: false, ..config() };
    let refused = Store::open(folder.path(), &keep, suffixes()).err().unwrap().to_string();
    assert!(refused.contains("has format 4") && refused.contains("set store.upgrade = true"), "{refused}");
    // It is read beside the process that has it open, and stays what it is.
    drop(Store::open_secondary(folder.path(), &keep, suffixes()).unwrap());
    let meta = |(db, _): (DB, Vec<String>)| rows(&db, "meta");
    let names = DB::list_cf(&Options::default(), folder.path()).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), folder.path(), &names, false).unwrap();
    assert!(rows(&db, "meta").contains(&(b"format".to_vec(), b"\x04".to_vec())));
    drop(db);
    assert!(meta(raw(open(folder.path()).unwrap())).contains(&(b"format".to_vec(), b"\x06".to_vec())));
    drop(Store::open(folder.path(), &keep, suffixes()).unwrap());
}

#[test]
fn a_database_of_format_1_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let families =
        ["pages", "outlinks", "backlinks", "pairs", "seen", "frontier", "hosts", "ranks", "meta"].to_vec();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    drop(DB::open_cf(&options, folder.path(), &families).unwrap());
    write_raw(folder.path(), "meta", b"format", b"\x01");
    for existing in [false, true] {
        let opened = match existing {
            true => Store::open_existing(folder.path(), &config(), suffixes()),
            false => open(folder.path()),
        };
        assert!(matches!(opened, Err(StoreError::Format { found: 1, expected: FORMAT, .. })));
    }
    let mut names = DB::list_cf(&Options::default(), folder.path()).unwrap();
    names.retain(|name| name != "default");
    assert_eq!(names, families);
}

#[test]
fn a_damaged_record_is_reported_and_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let next = VisitRecord { url: url("http://www.example.com/b"), ..record() };
    store.put(&[record(), next]).unwrap();
    drop(store);
    for family in ["pages", "outlinks"] {
        write_raw(folder.path(), family, b"com,example,www,)/a\x01", b"\xff");
    }
    let store = open(folder.path()).unwrap();
    let snapshot = store.snapshot();
    for error in [snapshot.page(&url(PAGE)).unwrap_err(), snapshot.outlinks(&url(PAGE)).unwrap_err()] {
        assert!(error.to_string().contains("of http://www.example.com/a:"), "{error}");
    }
    assert!(
        snapshot
            .page_outcomes(&[PAGE], &go_on)
            .unwrap_err()
            .to_string()
            .contains("of http://www.example.com/a:")
    );
    let mut graph = snapshot.graph();
    assert!(graph.next().unwrap().is_err());
    assert!(graph.next().is_none(), "an error ends the rows");
    assert!(store.put(&[record()]).is_err());
}

#[test]
fn damage_among_many_rows_is_reported_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(&[record()]).unwrap();
    let ranks = || vec![("b.org".to_owned(), SearchRank(7))].into_iter();
    let mut pages = vec![(url(PAGE), SearchRank(7))].into_iter();
    store.publish_ranks(&mut pages, &mut ranks(), &mut ranks()).unwrap();
    // Merge operands would be lost if the database were opened without the merge operator.
    store.compact().unwrap();
    drop(store);
    let whole = b"org,b,)/x\x02com,example,www,)/b\x01\x00";
    for (family, key) in [
        ("backlinks", &whole[..]),
        ("pairs", b"org,b,\x00com,example,zzz,"),
        ("referrals", b"com,example,zzz,\x00org,b,"),
        ("ranks", b"\x00\x00\x00\x01\x00com,example,www,)/b\x01"),
        ("ranks", b"\x00\x00\x00\x01\x02c.org"),
        ("changes", b"\x01org,b,"),
    ] {
        write_raw(folder.path(), family, key, b"\x00\xff\xff");
    }
    let store = open(folder.path()).unwrap();
    let snapshot = store.snapshot();
    let scope = Scope::Domain { domain: "b.org".to_owned() };
    let batch = snapshot.backlink_batches(&scope, 10).next().unwrap().unwrap();
    assert_eq!(batch.len(), 2);
    let mut told = 0;
    const LINK: &str = "of http://www.example.com/b -> https://b.org/x:";
    for (error, key) in [
        (batch.rows().unwrap_err(), LINK),
        (snapshot.backlinks(&scope, None).find_map(Result::err).unwrap(), LINK),
        (
            snapshot.for_each_pair(&scope, &go_on, |_, _, _| told += 1).unwrap_err(),
            "of zzz.example.com -> b.org:",
        ),
        (snapshot.host_pairs(&scope).find_map(Result::err).unwrap(), "of zzz.example.com -> b.org:"),
        (snapshot.referrals("example.com").find_map(Result::err).unwrap(), "of zzz.example.com -> b.org:"),
        (
            snapshot.page_ranks(&[PAGE, "http://www.example.com/b"], &go_on).unwrap_err(),
            "of http://www.example.com/b:",
        ),
        (snapshot.domain_ranks(&["c.org"], &go_on).unwrap_err(), "of c.org:"),
        (snapshot.changes("b.org").unwrap_err(), "of links into b.org:"),
    ] {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(key), "{error}");
    }
    assert_eq!(told, 1);
    assert_eq!(snapshot.page_ranks(&[PAGE], &go_on).unwrap(), [SearchRank(7)]);
}

#[test]
fn a_damaged_key_is_reported_and_not_served() {
    for (key, what) in [
        (&b"org,b,)/x\x02com,example,www,)/b\x01"[..], "the number that ends the key"),
        (b"org,b,)/x\x02com,example,www,)/b", "the source"),
        (b"org,b,)/x\x02com,example,www,/b\x01\x00", "the source"),
        (b"org,b,)x\x02com,example,www,)/b\x01\x00", "the target"),
        (b"org,b,)/\xff\x02com,example,www,)/b\x01\x00", "a URL"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).unwrap();
        store.put(&[record()]).unwrap();
        drop(store);
        write_raw(folder.path(), "backlinks", key, b"");
        let store = open(folder.path()).unwrap();
        let scope = Scope::Domain { domain: "b.org".to_owned() };
        let batch = store.snapshot().backlink_batches(&scope, 10).next().unwrap().unwrap();
        let told = batch.rows().unwrap_err();
        assert!(matches!(&told, StoreError::Damaged { what: part, .. } if *part == what), "{told}");
        assert!(told.to_string().contains(&key.escape_ascii().to_string()), "{told}");
    }
}

#[test]
fn a_foreign_directory_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("letters");
    std::fs::create_dir(&letters).unwrap();
    std::fs::write(letters.join("letter.txt"), "dear").unwrap();
    assert!(refusal(&letters).contains("files of something else"));
    assert_eq!(std::fs::read_dir(&letters).unwrap().count(), 1);

    // A list that another process is writing, still under a temporary name.
    let listed = folder.path().join("listed");
    std::fs::create_dir(&listed).unwrap();
    std::fs::write(listed.join("seeds.txtY3kQ9b"), "a.te").unwrap();
    drop(open(&listed).unwrap());

    let database = folder.path().join("database");
    DB::open_default(&database).unwrap().put(b"key", b"value").unwrap();
    assert!(refusal(&database).contains("a RocksDB database of something else"));
    assert_eq!(DB::list_cf(&Options::default(), &database).unwrap(), ["default"]);

    let newer = folder.path().join("newer");
    drop(open(&newer).unwrap());
    let names = DB::list_cf(&Options::default(), &newer).unwrap();
    DB::open_cf(&Options::default(), &newer, names).unwrap().create_cf("trust", &Options::default()).unwrap();
    assert!(refusal(&newer).contains("does not know (trust)"), "{}", refusal(&newer));

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refusal(&file).contains("cannot be used"));
}

#[test]
fn an_interrupted_creation_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    drop(DB::open_default(folder.path()).unwrap());
    drop(open(folder.path()).unwrap());
    open(folder.path()).unwrap();
}

#[test]
fn reading_a_missing_store_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let answer = Store::open_existing(&absent, &config(), suffixes());
    assert!(matches!(answer, Err(StoreError::Absent(_))));
    assert!(!absent.exists());
    let store = open(&absent).unwrap();
    let key = store.token_key().unwrap();
    drop(store);
    assert_eq!(Store::open_existing(&absent, &config(), suffixes()).unwrap().token_key().unwrap(), key);
}

const HELD: &str = "BACKLINKD_TEST_HELD_DIRECTORY";

/// Does nothing unless the test below has started it.
#[test]
fn the_process_that_holds_the_directory() {
    let Ok(directory) = std::env::var(HELD) else { return };
    let _store = open(Path::new(&directory)).unwrap();
    println!("held");
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_directory_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::InUse(_))));
    drop(store);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_format::the_process_that_holds_the_directory", "--nocapture"])
        .env(HELD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("held")));
    assert!(matches!(open(folder.path()), Err(StoreError::InUse(_))));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    open(folder.path()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    /// Any text, any number, and as many links to one target as a page may have.
    #[test]
    fn any_page_content_is_read_back_unchanged(
        texts in prop::collection::vec("\\PC{0,40}", 6),
        path in "[!-~]{0,30}",
        digest in any::<u64>(),
        ip in any::<Option<std::net::IpAddr>>(),
        anchors in prop::collection::vec(("\\PC{0,20}", 0usize..13, 0u8..16, 0u8..3), 0..400),
    ) {
        let page = url(&format!("https://example.com:8443/{path}"));
        let link = |(anchor, tag, rel, target): (String, usize, u8, u8)| Link {
            target: url(&format!("http://b.org/{path}{target}")),
            tag: LinkTag::ALL[tag],
            rel: Rel::from_bits(rel),
            anchor,
        };
        let links: Vec<Link> = anchors.into_iter().map(link).collect();
        let content = PageContent { facts: PageFacts { status: 200, title: texts[0].clone(), description: texts[1].clone(), etag: texts[2].clone(), last_modified: texts[3].clone(), place: Place { ccode: texts[4].clone(), country: texts[5].clone(), city: texts[0].clone() }, digest, ip, canonical: Some(page.clone()), ..PageFacts::default() }, links: links.clone(), ..PageContent::default() };
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).unwrap();
        store.put(&[VisitRecord { url: page.clone(), visited: 86_400, visit: Visit::Responded(Box::new(content.clone())) }]).unwrap();
        let snapshot = store.snapshot();
        let stored = snapshot.page(&page).unwrap().unwrap();
        prop_assert_eq!((stored.facts.title, stored.facts.description, stored.facts.etag), (content.facts.title, content.facts.description, content.facts.etag));
        prop_assert_eq!((stored.facts.last_modified, stored.facts.place, stored.facts.digest), (content.facts.last_modified, content.facts.place, digest));
        prop_assert_eq!((stored.facts.ip, stored.facts.canonical), (ip, Some(page.clone())));
        let back: Vec<Link> = snapshot.outlinks(&page).unwrap().into_iter()
            .map(|link| Link { target: link.target, tag: link.tag, rel: link.rel, anchor: link.anchor }).collect();
        prop_assert_eq!(&back, &links);
        let scope = Scope::Domain { domain: "b.org".to_owned() };
        let mut rows: Vec<_> = snapshot.backlinks(&scope, None).map(|row| row.unwrap().value).collect();
        prop_assert!(rows.is_sorted_by_key(|row| (row.target.to_string(), row.seq)));
        rows.sort_by_key(|row| row.pos);
        let back: Vec<Link> = rows.into_iter()
            .map(|row| Link { target: row.target, tag: row.tag, rel: row.rel, anchor: row.anchor }).collect();
        prop_assert_eq!(back, links);
    }
}

/// The database's own log must not fill the disk in a daemon that runs for months.
#[test]
fn the_databases_own_log_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig { log_file_bytes: 1 << 20, ..config() };
    let store = Store::open(folder.path(), &config, suffixes()).unwrap();
    let logs = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("LOG"));
        logs.map(|file| file.metadata().unwrap().len()).collect::<Vec<_>>()
    };
    // Until the log exceeds the limit of one file.
    for flush in 0..20_000 {
        let record = VisitRecord { visited: flush, ..record() };
        store.put(&[record]).unwrap();
        store.flush().unwrap();
        if flush % 100 == 0 && logs().len() > 2 {
            break;
        }
    }
    let logs = logs();
    assert!((3..=5).contains(&logs.len()), "{logs:?}");
    assert!(logs.iter().all(|bytes| *bytes < (1 << 20) + (64 << 10)), "{logs:?}");
}
