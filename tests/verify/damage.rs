//! Each kind of damage in turn, and random damage.

use backlinkd::urls::Surt;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A change of a row.
enum Damage {
    Put(&'static [u8], Vec<u8>),
    Remove(&'static [u8]),
}

use Damage::{Put, Remove};

const PAGE: &[u8] = b"com,example,)/a\x01";
const BACKLINK: &[u8] = b"org,b,)/\x02com,example,)/a\x01\x00";
const PAIR: &[u8] = b"org,b,\x00com,example,";
const REFERRAL: &[u8] = b"com,example,\x00org,b,";

/// `http://example.com/a`, which links to `https://b.org/`, to itself twice, and no longer to `https://b.org/x`.
fn small() -> Vec<VisitRecord> {
    let visit = |day: u64, links: &[&str]| VisitRecord {
        url: urls().iter().find(|url| url.as_str() == "http://example.com/a").unwrap().clone(),
        visited: day * 86_400,
        visit: answered(200, links.iter().map(|target| link(target)).collect()),
    };
    let here = "http://www.example.com/";
    vec![visit(100, &["https://b.org/x", here]), visit(101, &["https://b.org/", here, here])]
}

static SMALL: LazyLock<Made> = LazyLock::new(|| Made::of(&small()));

fn small_rows(family: &str) -> Rows {
    dump(SMALL.copy().path()).remove(family).unwrap()
}

/// Damages a small index; returns the findings, repairs it, and compares it with its former content.
fn damaged(family: &str, damage: &Damage) -> Vec<(&'static str, &'static str, u64)> {
    let folder = SMALL.copy();
    let before = dump(folder.path());
    behind_its_back(folder.path(), |db| {
        let family = db.cf_handle(family).unwrap();
        match damage {
            Put(key, value) => db.put_cf(family, key, value).unwrap(),
            Remove(key) => {
                assert!(db.get_cf(family, key).unwrap().is_some());
                db.delete_cf(family, key).unwrap();
            }
        }
    });
    let store = open(folder.path());
    let findings = look(&store, MEMORY);
    assert_eq!(findings.found, findings.left);
    let repaired = repair(&store);
    assert_eq!((&repaired.found, &repaired.left), (&findings.found, &vec![]));
    assert_eq!(look(&store, MEMORY), Findings::default());
    drop(store);
    let mut after = dump(folder.path());
    let mut before = before;
    if findings.found.iter().any(|finding| finding.examples.contains(&"token-key".to_owned())) {
        // Random data cannot be rebuilt.
        assert_ne!(before["meta"].get(&b"token-key"[..]), after["meta"].get(&b"token-key"[..]));
        for dump in [&mut before, &mut after] {
            dump.get_mut("meta").unwrap().remove(&b"token-key"[..]);
        }
    }
    assert!(after == before, "{family}: {findings:?}");
    told(&findings)
}

#[test]
fn each_kind_of_damage_is_reported_by_name_and_repaired() {
    let value = |family, key: &[u8]| small_rows(family).remove(key).unwrap();
    let changed = |family, key: &[u8]| {
        let mut value = value(family, key);
        value[1] ^= 1;
        value
    };
    let longer = |family, key: &[u8]| [value(family, key), vec![0]].concat();
    let visit: &[u8] = small_rows("schedule").into_keys().next().unwrap().leak();
    let mut other = visit.to_vec();
    other[7] ^= 1;
    let other: &[u8] = other.leak();
    const UNREADABLE: &str = "rows that cannot be read";
    for (family, damage, what) in [
        ("backlinks", Remove(BACKLINK), "rows that are missing"),
        (
            "backlinks",
            Put(BACKLINK, changed("backlinks", BACKLINK)),
            "rows that differ from the link they stand for",
        ),
        ("backlinks", Put(BACKLINK, vec![]), "rows that differ from the link they stand for"),
        (
            "backlinks",
            Put(b"org,b,)/\x02com,example,)/b\x01\x00", value("backlinks", BACKLINK)),
            "rows that no link stands for",
        ),
        ("backlinks", Put(b"\xff", vec![]), "rows that no link stands for"),
        ("pairs", Remove(PAIR), "sums that are missing"),
        ("pairs", Put(PAIR, vec![2, 2, 2, 0, 2]), "sums that differ from the links"),
        ("pairs", Put(PAIR, longer("pairs", PAIR)), UNREADABLE),
        ("pairs", Put(PAIR, vec![0x80]), UNREADABLE),
        ("pairs", Put(PAIR, vec![3, 2, 2, 0, 2]), UNREADABLE),
        ("pairs", Put(b"org,b,\x00net,c,", value("pairs", PAIR)), "sums that differ from the links"),
        ("pairs", Put(b"org,b,", vec![0, 0, 0, 0, 0]), UNREADABLE),
        ("pairs", Put(b"org,b,\x00com,example", vec![0, 0, 0, 0, 0]), UNREADABLE),
        ("referrals", Remove(REFERRAL), "sums that are missing"),
        ("referrals", Put(REFERRAL, vec![4]), "sums that differ from the links"),
        ("referrals", Put(REFERRAL, vec![2, 0]), UNREADABLE),
        ("referrals", Put(b"com,example,\x00org,c,", vec![2]), "sums that differ from the links"),
        ("changes", Remove(b"\x01org,b,"), "domains without a number"),
        ("changes", Remove(b"\x02com,example,"), "domains without a number"),
        ("changes", Put(b"\x02com,example,", vec![100]), "numbers of no commit"),
        ("changes", Put(b"\x02com,example,", vec![0]), "numbers of no commit"),
        ("changes", Put(b"\x01org,b,", vec![]), "numbers of no commit"),
        ("changes", Put(b"\x03org,b,", vec![1]), UNREADABLE),
        ("changes", Put(b"\x00", vec![]), UNREADABLE),
        ("changes", Put(b"\x00", vec![0xff; 10]), UNREADABLE),
        ("changes", Put(b"\x00", vec![0]), UNREADABLE),
        ("changes", Remove(b"\x00"), "rows that are missing"),
        ("changes", Put(b"\x01org,b", vec![1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00\x00\x01\x00com,example,", vec![0, 1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00\x00\x01\x07example.com", vec![0, 1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00\x00\x01\x01example.org", vec![1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00\x00\x01\x01example.org", vec![0xff, 1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00", vec![0, 1]), UNREADABLE),
        ("ranks", Put(b"\x00\x00\x00\x07\x01example.org", vec![0, 1]), "ranks of no computation"),
        ("meta", Put(b"rank-generation", vec![]), UNREADABLE),
        ("meta", Put(b"rank-generation", vec![1, 1]), UNREADABLE),
        ("meta", Put(b"rank-generation", vec![7]), "a generation of ranks that has none"),
        ("schedule", Remove(visit), "visits that are missing"),
        ("schedule", Put(other, vec![0]), "visits at another time than their page says"),
        ("schedule", Put(visit, vec![]), UNREADABLE),
        ("schedule", Put(b"\0\0\0", vec![0]), UNREADABLE),
        ("schedule", Put(visit, vec![5]), "visits with another depth or mark than their page has"),
        ("schedule", Put(visit, vec![0, 1]), "visits with another depth or mark than their page has"),
        ("frontier", Put(b"com,example,)\x01\x00\x03com,example,)/b\x01", vec![0]), UNREADABLE),
        ("frontier", Put(b"com,example,)\x01\x00\x03org,b,)/\x01", vec![0, 0, 0]), UNREADABLE),
        ("hosts", Put(b"com,example,)\x01", vec![1]), UNREADABLE),
        (
            "hosts",
            Put(b"com,example,)\x01", vec![2, 1, 0, 0, 0]),
            "hosts with more pages than visits, or too many of them remembered",
        ),
        ("robots", Put(b"http://example.com", vec![]), UNREADABLE),
        ("robots", Put(b"example.com", vec![1]), UNREADABLE),
        ("robots", Put(b"http://example.com/a", vec![1]), UNREADABLE),
        ("robots", Put(b"http://Example.com", vec![1]), UNREADABLE),
        ("hosts", Put(b"com,example,", vec![0, 0, 0, 0, 0]), UNREADABLE),
        (
            "met",
            Put(b"\0\0\0\0\0\0\xff\0", b"\x05\x01\x00\x00\x13com,example,)/../a\x01".to_vec()),
            UNREADABLE,
        ),
        ("meta", Put(b"counters", vec![2, 2, 2, 2, 2]), "counters that are wrong"),
        ("meta", Put(b"counters", vec![2]), "counters that are wrong"),
        ("meta", Remove(b"counters"), "counters that are wrong"),
        ("meta", Put(b"token-key", vec![1, 2, 3]), UNREADABLE),
        ("meta", Remove(b"token-key"), "rows that are missing"),
        ("meta", Put(b"counterz", vec![2]), UNREADABLE),
        ("meta", Put(b"user/bob", vec![0xff]), UNREADABLE),
        (
            "pages",
            Put(PAGE, {
                let mut page = value("pages", PAGE);
                // The number of external links precedes the last day, which takes one byte.
                let at = page.windows(3).position(|numbers| numbers == [2, 1, 101]).unwrap();
                // With a higher number, the page would seem to have lost some links.
                page[at] = 1;
                page
            }),
            "pages whose number of links is wrong",
        ),
        ("outlinks", Put(b"com,example,)/b\x01", vec![0]), "lists of links without a page"),
        (
            "outlinks",
            Put(PAGE, {
                let mut list = value("outlinks", PAGE);
                assert_eq!(list[..5], [4, 0x10, 0, 0, 0x10]);
                list[2] = 0x10;
                list
            }),
            "links taken for internal or external wrongly",
        ),
    ] {
        let told = damaged(family, &damage);
        let right = told.iter().any(|(found, kind, _)| *found == family && *kind == what);
        assert!(right, "{family}: {what}: {told:?}");
        let expected = if family == "meta" && what == "counters that are wrong" { 5 } else { 1 };
        assert!(
            told.iter().map(|(_, _, count)| count).sum::<u64>() <= expected,
            "{family}: {what}: {told:?}"
        );
    }
}

/// Without its last number, an index continues after every number in use.
#[test]
fn an_index_whose_last_number_is_damaged_can_be_opened_and_repaired() {
    for damage in [None, Some(&b"\xff"[..]), Some(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")] {
        let folder = SMALL.copy();
        let number = open(folder.path()).change_number();
        behind_its_back(folder.path(), |db| {
            let changes = db.cf_handle("changes").unwrap();
            match damage {
                None => db.delete_cf(changes, b"\x00").unwrap(),
                Some(damage) => db.put_cf(changes, b"\x00", damage).unwrap(),
            }
        });
        let store = open(folder.path());
        assert!(store.change_number() >= number, "{damage:?}");
        if damage.is_some() {
            let error = store.snapshot().last_change().unwrap_err().to_string();
            assert!(
                error.contains("column family changes holds a damaged record of the index as a whole:"),
                "{error}"
            );
        }
        let findings = repair(&store);
        let examples: Vec<&String> = findings.found.iter().flat_map(|found| &found.examples).collect();
        assert_eq!(examples, ["the index as a whole"]);
        assert_eq!(findings.left, []);
        assert_eq!(store.snapshot().last_change().unwrap(), store.change_number());
        let repaired = store.change_number();
        drop(store);
        assert_eq!(open(folder.path()).change_number(), repaired);
    }
}

/// Assigned numbers are never assigned again, whichever of two contradictory ones is right.
#[test]
fn numbers_continue_after_the_greatest_found() {
    let folder = SMALL.copy();
    behind_its_back(folder.path(), |db| {
        db.put_cf(db.cf_handle("changes").unwrap(), b"\x02com,example,", [100]).unwrap();
    });
    let store = open(folder.path());
    assert_eq!(told(&repair(&store)), [("changes", "numbers of no commit", 1)]);
    assert!(store.change_number() > 100);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// Data that cannot be rebuilt is removed; all other data then agrees with the rest.
#[test]
fn damaged_lists_of_links_are_removed_and_their_pages_stay() {
    let folder = SMALL.copy();
    behind_its_back(folder.path(), |db| db.put_cf(db.cf_handle("outlinks").unwrap(), PAGE, b"\x05").unwrap());
    let store = open(folder.path());
    let findings = repair(&store);
    assert!(told(&findings).contains(&("outlinks", "rows that cannot be read", 1)), "{findings:?}");
    assert!(told(&findings).contains(&("pages", "pages whose number of links is wrong", 1)), "{findings:?}");
    assert_eq!(findings.left, []);
    let stats = store.stats().unwrap();
    assert_eq!((stats.visited, stats.links, stats.backlinks, stats.lost_links), (1, 0, 0, 0));
    // The next visit finds the links again.
    store.put(&small()[1..]).unwrap();
    assert_eq!(store.stats().unwrap().links, 3);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn keys_that_are_not_canonical_urls_are_removed() {
    let page = small_rows("pages").remove(PAGE).unwrap();
    for (key, shown) in [
        (&b"com,example,)/../a\x01"[..], "http://example.com/../a"),
        (b"com,example,:80)/a\x01", "http://example.com:80/a"),
        (b"com,Example,)/a\x01", "http://Example.com/a"),
        (b"com,example,)/a", r#"the unreadable key "com,example,)/a""#),
        (b"com,example,/a\x01", r#"the unreadable key "com,example,/a\x01""#),
        (b"com,example,)/a\x03", r#"the unreadable key "com,example,)/a\x03""#),
    ] {
        let folder = SMALL.copy();
        let before = dump(folder.path());
        behind_its_back(folder.path(), |db| db.put_cf(db.cf_handle("pages").unwrap(), key, &page).unwrap());
        let store = open(folder.path());
        let findings = repair(&store);
        let first = &findings.found[0];
        assert_eq!(
            (first.family, first.what, first.count),
            ("pages", "rows that cannot be read", 1),
            "{key:?}"
        );
        assert_eq!(first.examples, [shown]);
        assert_eq!(findings.left, []);
        drop(store);
        assert!(dump(folder.path()) == before, "{}", key.escape_ascii());
    }
    assert!(Surt::bytes_to_url(b"com,example,)/../a\x01").is_ok(), "a reader alone would take it");
}

#[derive(Clone, Debug)]
enum Change {
    Removed,
    Cut(Index),
    Flipped(Index, u8),
    CopiedFrom(Index),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    /// After any damage of derived rows, an index that is reported as sound equals the original, and a repair restores
    /// it.
    #[test]
    fn any_damage_to_derived_rows_is_found_and_repaired(
        changes in prop::collection::vec(
            (prop::sample::select(vec!["backlinks", "pairs", "referrals"]), any::<Index>(), prop_oneof![
                Just(Change::Removed),
                any::<Index>().prop_map(Change::Cut),
                (any::<Index>(), 1u8..=255).prop_map(|(at, bits)| Change::Flipped(at, bits)),
                any::<Index>().prop_map(Change::CopiedFrom),
            ]),
            1..5,
        ),
    ) {
        let folder = LARGE.copy();
        let before = dump(folder.path());
        behind_its_back(folder.path(), |db| {
            for (family, row, change) in &changes {
                let rows: Vec<(Vec<u8>, Vec<u8>)> = rows(db, family).into_iter().collect();
                let family = db.cf_handle(family).unwrap();
                let (key, value) = row.get(&rows);
                let whole = [key.as_slice(), value].concat();
                let (changed_key, changed_value) = match change {
                    Change::Removed => {
                        db.delete_cf(family, key).unwrap();
                        continue;
                    }
                    Change::Cut(at) => (key.clone(), value[..at.index(value.len())].to_vec()),
                    Change::Flipped(at, bits) => {
                        let mut whole = whole;
                        let at = at.index(whole.len());
                        whole[at] ^= bits;
                        let (key, value) = whole.split_at(key.len());
                        (key.to_vec(), value.to_vec())
                    }
                    Change::CopiedFrom(other) => (key.clone(), other.get(&rows).1.clone()),
                };
                db.put_cf(family, changed_key, changed_value).unwrap();
            }
        });
        let is_changed = dump(folder.path()) != before;
        let store = open(folder.path());
        // Zeros in an unusual encoding have no effect, and are found nevertheless.
        prop_assert!(!is_changed || !look(&store, MEMORY).is_clean());
        prop_assert_eq!(repair(&store).left, vec![]);
        drop(store);
        prop_assert!(dump(folder.path()) == before);
    }
}
