//! The version numbers that validate a cached answer: they change with every visible change, and with nothing else.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::model::{
    BacklinkRecord, DiscoveredUrl, Disposition, Link, OutlinkRecord, PageContent, PageFacts, Priority,
    QueueEntry, SearchRank, StoredPage, Target, Visit, VisitRecord,
};
use backlinkd::store::{ChangeNumbers, Commit, HostPair, Store};
use backlinkd::urls::{CanonicalUrl, Scope};
use proptest::prelude::*;

use super::{SUFFIXES, config, url, web};

/// All data that a domain's numbers represent, read again.
#[derive(PartialEq)]
struct Seen {
    incoming: Incoming,
    outgoing: Outgoing,
}

#[derive(PartialEq)]
struct Incoming {
    backlinks: Vec<BacklinkRecord>,
    pairs: Vec<HostPair>,
}

#[derive(PartialEq)]
struct Outgoing {
    pages: Vec<(CanonicalUrl, StoredPage, Vec<OutlinkRecord>)>,
    referrals: Vec<(String, u64)>,
}

fn domains() -> BTreeSet<&'static str> {
    web::urls().iter().map(|url| SUFFIXES.domain_of(url.host())).collect()
}

fn seen(store: &Store) -> BTreeMap<&'static str, Seen> {
    let snapshot = store.snapshot();
    let seen = |domain: &'static str| {
        let scope = Scope::Domain { domain: domain.to_owned() };
        let pages = snapshot.pages(&scope, None).map(|row| {
            let (url, page) = row.unwrap().value;
            let links = snapshot.outlinks(&url).unwrap();
            // The invisible effects of a visit.
            (
                url,
                StoredPage {
                    visited: 0,
                    failures: 0,
                    cause: String::new(),
                    next_visit: 0,
                    interval: 0,
                    ..page
                },
                links,
            )
        });
        Seen {
            incoming: Incoming {
                backlinks: snapshot.backlinks(&scope, None).map(|row| row.unwrap().value).collect(),
                pairs: snapshot.host_pairs(&scope).map(|row| row.unwrap()).collect(),
            },
            outgoing: Outgoing {
                pages: pages.collect(),
                referrals: snapshot.referrals(domain).map(|row| row.unwrap()).collect(),
            },
        }
    };
    domains().into_iter().map(|domain| (domain, seen(domain))).collect()
}

fn numbers(store: &Store) -> (BTreeMap<&'static str, ChangeNumbers>, u64) {
    let snapshot = store.snapshot();
    let numbers = domains().into_iter().map(|domain| (domain, snapshot.changes(domain).unwrap())).collect();
    (numbers, snapshot.last_change().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn numbers_change_with_visible_changes_and_nothing_else(commits in web::histories()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
        let mut before = seen(&store);
        let (mut old, mut old_last) = numbers(&store);
        prop_assert_eq!((old_last, store.change_number()), (0, 0));
        for (at, records) in commits.into_iter().enumerate() {
            let urls: BTreeSet<String> = records.iter().map(|record| record.url.to_string()).collect();
            // Two visits to one URL may undo each other; each was a change.
            let once = urls.len() == records.len();
            store.commit(Commit { records, ..Commit::default() }).unwrap();
            if at % 3 == 2 {
                drop(store);
                store = Store::open_existing(folder.path(), &config(), SUFFIXES.clone()).unwrap();
            }
            let after = seen(&store);
            let (new, last) = numbers(&store);
            for domain in domains() {
                let (was, is) = (&before[domain], &after[domain]);
                for (differs, from, to) in [
                    (was.incoming != is.incoming, old[domain].incoming, new[domain].incoming),
                    (was.outgoing != is.outgoing, old[domain].outgoing, new[domain].outgoing),
                ] {
                    if differs {
                        prop_assert!(to > old_last, "{domain}: {from} to {to} after {old_last}");
                    } else if once {
                        prop_assert_eq!(to, from, "{}", domain);
                    }
                    prop_assert!(to <= last);
                }
            }
            prop_assert_eq!(new != old, last > old_last);
            prop_assert_eq!(store.change_number(), last);
            (before, old, old_last) = (after, new, last);
        }
    }
}

#[test]
fn a_visit_without_new_content_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let visit = |second: u64, titles: [&str; 2]| {
        let link = Link { anchor: titles[1].to_owned(), ..web::link("http://alice.github.io/") };
        let content = PageContent {
            facts: PageFacts { status: 200, title: titles[0].to_owned(), ..PageFacts::default() },
            links: vec![link],
            ..Default::default()
        };
        let visit = Visit::Responded(Box::new(content));
        store.put(&[VisitRecord { url: url("http://shop.example.com/"), visited: second, visit }]).unwrap();
        let snapshot = store.snapshot();
        assert_eq!(snapshot.last_change().unwrap(), store.change_number());
        (snapshot.changes("example.com").unwrap(), snapshot.changes("alice.github.io").unwrap())
    };
    let changed = |number| {
        (ChangeNumbers { incoming: 0, outgoing: number }, ChangeNumbers { incoming: number, outgoing: 0 })
    };
    assert_eq!(visit(86_400, ["one", "here"]), changed(1));
    assert_eq!(visit(86_401, ["one", "here"]), changed(1), "the same on the same day");
    // A backlink shows its page's title, and the day of the last fetch.
    assert_eq!(visit(86_402, ["two", "here"]), changed(2));
    assert_eq!(visit(2 * 86_400, ["two", "here"]), changed(3));
    // The page itself is unchanged; its link is not.
    assert_eq!(visit(2 * 86_400 + 1, ["two", "there"]), changed(4));
    let snapshot = store.snapshot();
    for other in ["github.io", "shop.example.com", "com", "unknown.test"] {
        assert_eq!(snapshot.changes(other).unwrap(), ChangeNumbers::default(), "{other}");
    }
}

#[test]
fn ranks_change_the_generation_and_the_queue_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let (priority, target) = (Priority::New(0), Target::Page);
    let queued = QueueEntry { url: url("http://example.com/"), priority, depth: 0, attempts: 1, target };
    let found = vec![DiscoveredUrl::page(queued.url.clone(), 0)];
    store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    store
        .commit(Commit { dispositions: vec![(queued.clone(), Disposition::Retry)], ..Commit::default() })
        .unwrap();
    store.commit(Commit { dispositions: vec![(queued, Disposition::Fetched)], ..Commit::default() }).unwrap();
    store.put_user("alice", "hash").unwrap();
    assert_eq!((store.change_number(), store.snapshot().last_change().unwrap()), (0, 0));
    let earlier = store.snapshot();
    for generation in 1..4 {
        let mut pages = vec![(url("http://example.com/"), SearchRank(500))].into_iter();
        let mut hosts = vec![("example.com".to_owned(), SearchRank(500))].into_iter();
        let mut domains = hosts.clone();
        store.publish_ranks(&mut pages, &mut hosts, &mut domains).unwrap();
        let snapshot = store.snapshot();
        assert_eq!(snapshot.rank_generation().unwrap(), generation);
        assert_eq!(snapshot.last_change().unwrap(), u64::from(generation));
        assert_eq!(store.change_number(), u64::from(generation));
        assert_eq!(snapshot.changes("example.com").unwrap(), ChangeNumbers::default());
    }
    // An earlier snapshot keeps its state.
    assert_eq!((earlier.rank_generation().unwrap(), earlier.last_change().unwrap()), (0, 0));
}

/// Also after it is reopened.
#[test]
fn a_store_knows_whether_it_has_users() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), &config(), SUFFIXES.clone()).unwrap();
    let store = open();
    let (none, number) = (store.has_users(), store.users_number());
    store.put_user("alice", "hash").unwrap();
    store.put_user("bob", "hash").unwrap();
    assert!(!none && store.has_users() && store.users_number() > number);
    drop(store);
    let store = open();
    assert!(store.has_users());
    assert!(store.remove_user("alice").unwrap() && store.has_users());
    assert!(store.remove_user("bob").unwrap() && !store.has_users());
    assert!(!store.remove_user("bob").unwrap() && !store.has_users());
    drop(store);
    assert!(!open().has_users());
}
