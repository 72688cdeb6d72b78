//! The data of the crawl: queue, schedule, and the seen set.

use backlinkd::model::{DiscoveredUrl, Disposition, FailureKind, Priority, QueueEntry, Target};
use backlinkd::store::{Commit, StoreError};
use backlinkd::urls::Surt;

use super::*;
use crate::crawl_policies::sitemap_target;
use crate::pipeline::{Site, job, random_web, seeds};

/// An index of [`records`], to be damaged.
fn large() -> (TempDir, Store) {
    let folder = LARGE.copy();
    let store = open(folder.path());
    (folder, store)
}

fn a_page(store: &Store) -> CanonicalUrl {
    store.snapshot().graph().next().unwrap().unwrap().url
}

fn entry(url: &CanonicalUrl, priority: Priority, attempts: u32) -> QueueEntry {
    QueueEntry { url: url.clone(), priority, depth: 0, attempts, target: Target::Page }
}

fn visit(url: &CanonicalUrl, visit: Visit) -> VisitRecord {
    VisitRecord { url: url.clone(), visited: 19_100 * 86_400, visit }
}

/// Removes the only row of a family.
fn remove_the_row(directory: &Path, family: &str) {
    behind_its_back(directory, |db| {
        let rows = rows(db, family);
        assert_eq!(rows.len(), 1);
        db.delete_cf(db.cf_handle(family).unwrap(), rows.keys().next().unwrap()).unwrap();
    });
}

#[test]
fn an_unscheduled_page_is_visited_at_once() {
    let (folder, store) = large();
    let url = a_page(&store);
    let records = vec![visit(&url, Visit::Failed(FailureKind::Timeout, String::new()))];
    let dispositions = vec![(entry(&url, Priority::revisit(7), 1), Disposition::Retry)];
    store.commit(Commit { records, dispositions, ..Commit::default() }).unwrap();
    store.flush().unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default(), "it waits for another attempt");
    drop(store);
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("pages", "pages that are neither queued nor scheduled", 1)]);
    assert_eq!(findings.left, []);
    let visited = store.page(&url).unwrap().unwrap().visited;
    assert_eq!(store.next_due().unwrap().unwrap().min(visited), store.next_due().unwrap().unwrap());
    assert!(store.take_due(visited, 1_000).unwrap().1 > 0);
    assert!(store.find_entry(&url).unwrap().is_some());
}

#[test]
fn a_due_page_missing_from_the_queue_is_scheduled_again() {
    let (folder, store) = large();
    let (_, due) = store.take_due(store.next_due().unwrap().unwrap(), 1).unwrap();
    assert_eq!((due, look(&store, MEMORY)), (1, Findings::default()));
    store.flush().unwrap();
    drop(store);
    let before = dump(folder.path());
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("schedule", "visits that are missing", 1)]);
    assert_eq!(findings.left, []);
    drop(store);
    let after = dump(folder.path());
    assert_eq!(after["schedule"].len(), before["schedule"].len() + 1);
    assert!(after["schedule"] == dump(LARGE.copy().path())["schedule"]);
}

/// An entry for a known page, as if it were newly discovered, causes no visit.
#[test]
fn an_entry_that_causes_no_visit_does_not_count() {
    let (folder, store) = large();
    let url = a_page(&store);
    let records = vec![visit(&url, Visit::Failed(FailureKind::Timeout, String::new()))];
    store
        .commit(Commit {
            records,
            dispositions: vec![(entry(&url, Priority::New(2), 0), Disposition::Retry)],
            ..Commit::default()
        })
        .unwrap();
    assert_eq!(told(&look(&store, 1)), [("pages", "pages that are neither queued nor scheduled", 1)]);
    drop(folder);
}

#[test]
fn a_postponed_url_with_a_later_page_has_two_times() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let url = urls()[0].clone();
    let found = || vec![DiscoveredUrl::seed(url.clone())];
    let queued = entry(&url, Priority::Seed, 0);
    store.commit(Commit { discovered: found(), ..Commit::default() }).unwrap();
    let dispositions = vec![(queued.clone(), Disposition::Postponed(19_200 * 86_400))];
    store.commit(Commit { dispositions, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.commit(Commit { discovered: found(), ..Commit::default() }).unwrap();
    let records = vec![visit(&url, answered(200, vec![]))];
    store
        .commit(Commit { records, dispositions: vec![(queued, Disposition::Fetched)], ..Commit::default() })
        .unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    assert_eq!(store.take_due(u64::MAX - 1, 9).unwrap().1, 2);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn a_sitemap_is_no_visit_to_the_page_of_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let url = urls()[0].clone();
    store.put(&[visit(&url, answered(200, vec![]))]).unwrap();
    let (priority, target) = (Priority::Sitemap, sitemap_target());
    let found = vec![DiscoveredUrl { url: url.clone(), priority, depth: 0, target: target.clone() }];
    store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    let queued = QueueEntry { target, ..entry(&url, priority, 0) };
    store
        .commit(Commit { dispositions: vec![(queued, Disposition::Postponed(5))], ..Commit::default() })
        .unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    assert_eq!(store.take_due(u64::MAX - 1, 9).unwrap().1, 1, "the page alone");
}

#[test]
fn an_unknown_url_is_reported() {
    let (folder, store) = large();
    let strange = backlinkd::urls::UrlRules::default().canonical("http://strange.test/").unwrap();
    // Without the set's knowledge.
    store
        .commit(Commit {
            dispositions: vec![(entry(&strange, Priority::New(2), 0), Disposition::Retry)],
            ..Commit::default()
        })
        .unwrap();
    store
        .commit(Commit {
            dispositions: vec![(entry(&strange, Priority::New(6), 0), Disposition::Postponed(7))],
            ..Commit::default()
        })
        .unwrap();
    for memory_bytes in [1, MEMORY] {
        let findings = look(&store, memory_bytes);
        assert_eq!(told(&findings), [("seen", "pages, queued or scheduled URLs that are not known", 2)]);
        assert_eq!(findings.found[0].examples, ["http://strange.test/"; 2]);
    }
    assert!(!store.was_seen(&strange).unwrap());
    assert_eq!(repair(&store).left, []);
    assert!(store.was_seen(&strange).unwrap() && store.was_seen(&a_page(&store)).unwrap());
    drop(store);
    assert!(open(folder.path()).was_seen(&strange).unwrap());
}

#[test]
fn a_damaged_set_is_rebuilt() {
    let damage_file = |directory: &Path, damage: fn(&Path)| {
        let files: Vec<_> = std::fs::read_dir(directory.join("seen")).unwrap().collect();
        assert_eq!(files.len(), 1);
        damage(&files[0].as_ref().unwrap().path());
    };
    let flip = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[3] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    let (folder, store) = large();
    let (url, known) = (a_page(&store), store.seen_urls());
    drop(store);
    damage_file(folder.path(), flip);
    let store = open(folder.path());
    assert_eq!(told(&look(&store, MEMORY)), [("seen", "files that are damaged", 1)]);
    assert_eq!(repair(&store).left, []);
    assert_eq!((store.seen_urls(), store.was_seen(&url).unwrap()), (known, true));
    drop(store);

    behind_its_back(folder.path(), |db| db.delete_cf(db.cf_handle("meta").unwrap(), b"sieve").unwrap());
    let store = open(folder.path());
    let what = "pages, queued or scheduled URLs that are not known";
    assert_eq!(told(&look(&store, MEMORY)), [("seen", what, 2 * known)]);
    assert_eq!(repair(&store).left, []);
    drop(store);

    // Damage that prevents the opening of the set is repaired at once.
    let ways: [fn(&Path); 3] = [
        |directory| std::fs::remove_dir_all(directory.join("seen")).unwrap(),
        |directory| {
            let file = std::fs::read_dir(directory.join("seen")).unwrap().next().unwrap().unwrap().path();
            std::fs::write(file, b"short").unwrap();
        },
        |directory| {
            behind_its_back(directory, |db| {
                db.put_cf(db.cf_handle("meta").unwrap(), b"sieve", b"\x01\xff").unwrap();
            });
        },
    ];
    for damage in ways {
        damage(folder.path());
        let store = open(folder.path());
        assert_eq!(look(&store, MEMORY), Findings::default());
        assert_eq!((store.seen_urls(), store.was_seen(&url).unwrap()), (known, true));
    }
}

#[test]
fn a_damaged_row_of_discovered_urls_is_reported_before_it_is_lost() {
    let (folder, store) = large();
    let unheard = |number: u32| {
        let text = format!("http://unheard{number}.test/");
        DiscoveredUrl::page(backlinkd::urls::UrlRules::default().canonical(&text).unwrap(), 1)
    };
    for number in 0..2 {
        store.commit(Commit { discovered: vec![unheard(number)], ..Commit::default() }).unwrap();
    }
    store.flush().unwrap();
    drop(store);
    behind_its_back(folder.path(), |db| {
        let key = rows(db, "met").into_keys().next().unwrap();
        db.put_cf(db.cf_handle("met").unwrap(), key, b"\x05\x01").unwrap();
    });
    let store = open(folder.path());
    assert!(matches!(store.merge_discovered(), Err(StoreError::Damaged { family: "met", .. })));
    let findings = repair(&store);
    assert_eq!((told(&findings), findings.left), (vec![("met", "rows that cannot be read", 1)], vec![]));
    assert_eq!(store.unmerged_urls(), 1);
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(store.find_entry(&unheard(1).url).unwrap().map(|entry| entry.url), Some(unheard(1).url));
    // A lost URL counts as new when it is discovered again.
    store.commit(Commit { discovered: vec![unheard(0)], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn readable_urls_of_a_damaged_row_of_discovered_ones_are_kept() {
    let (folder, store) = large();
    let url = |text: &str| backlinkd::urls::UrlRules::default().canonical(text).unwrap();
    let [first, last] =
        ["http://first.test/", "http://last.test/"].map(|text| DiscoveredUrl::page(url(text), 1));
    store.commit(Commit { discovered: vec![first.clone(), last.clone()], ..Commit::default() }).unwrap();
    store.flush().unwrap();
    drop(store);
    behind_its_back(folder.path(), |db| {
        let (key, value) = rows(db, "met").pop_first().unwrap();
        db.put_cf(db.cf_handle("met").unwrap(), key, &value[..value.len() - 1]).unwrap();
    });
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!((told(&findings), findings.left), (vec![("met", "rows that cannot be read", 1)], vec![]));
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert!(store.find_entry(&first.url).unwrap().is_some());
    store.commit(Commit { discovered: vec![last], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
}

fn unheard() -> DiscoveredUrl {
    DiscoveredUrl::page(backlinkd::urls::UrlRules::default().canonical("http://lost.test/").unwrap(), 1)
}

/// An index where this URL is known, and waits in the queue.
fn queued(found: &DiscoveredUrl) -> TempDir {
    let (folder, store) = large();
    store.commit(Commit { discovered: vec![found.clone()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.flush().unwrap();
    folder
}

/// Replaces the value of the only row of a family.
fn damage_the_row(directory: &Path, family: &str, value: &[u8]) {
    behind_its_back(directory, |db| {
        let key = rows(db, family).into_keys().next().unwrap();
        db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
    });
}

#[test]
fn a_queued_url_is_not_given_up_for_its_depth() {
    let folder = queued(&unheard());
    damage_the_row(folder.path(), "frontier", b"\xff");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "rows that cannot be read", 1)]);
    assert_eq!(findings.left, []);
    let entry = entry(&unheard().url, unheard().priority, 0);
    assert_eq!(store.find_entry(&entry.url).unwrap(), Some(entry));
}

/// A row under a slightly wrong key moves to its own key.
#[test]
fn a_queued_url_under_a_wrong_key_is_moved_to_its_key() {
    let folder = queued(&unheard());
    behind_its_back(folder.path(), |db| {
        let (key, value) = rows(db, "frontier").pop_first().unwrap();
        let family = db.cf_handle("frontier").unwrap();
        db.delete_cf(family, &key).unwrap();
        db.put_cf(family, [b"x", &key[1..]].concat(), value).unwrap();
    });
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "rows that cannot be read", 1)]);
    assert_eq!(findings.left, []);
    assert!(store.find_entry(&unheard().url).unwrap().is_some());
}

#[test]
fn a_scheduled_url_is_not_given_up_for_its_depth() {
    let folder = queued(&unheard());
    let store = open(folder.path());
    let dispositions = vec![(entry(&unheard().url, unheard().priority, 0), Disposition::Postponed(1))];
    store.commit(Commit { dispositions, ..Commit::default() }).unwrap();
    store.flush().unwrap();
    drop(store);
    damage_the_row(folder.path(), "schedule", b"\x00\x07");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("schedule", "rows that cannot be read", 1)]);
    assert_eq!(findings.left, []);
    assert_eq!(store.take_due(1, 9).unwrap().1, 1);
    assert!(store.find_entry(&unheard().url).unwrap().is_some());
}

const LOST: &str = "known URLs that are no page, and neither queued nor scheduled";

#[test]
fn a_known_url_without_rows_is_reported_and_can_be_discovered_again() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    for memory_bytes in [1, MEMORY] {
        let findings = look(&store, memory_bytes);
        assert_eq!(told(&findings), [("seen", LOST, 1)]);
        // No readable data of it remains.
        assert_eq!(findings.found[0].to_string(), format!("seen: {LOST}: 1"));
    }
    assert_eq!(repair(&store).left, []);
    assert!(!store.was_seen(&unheard().url).unwrap() && store.was_seen(&a_page(&store)).unwrap());
    store.commit(Commit { discovered: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// Its linking pages may not change for years.
#[test]
fn a_known_url_without_rows_is_queued_if_a_page_links_to_it() {
    let (_folder, store) = large();
    let pages: Vec<_> = store.snapshot().graph().map(|page| page.unwrap()).collect();
    let targets = pages.iter().flat_map(|page| &page.links).map(|link| link.target.clone());
    let url = targets.into_iter().find(|url| store.page(url).unwrap().is_none()).unwrap();
    drop(store);
    let found = DiscoveredUrl::page(url, 1);
    let folder = queued(&found);
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("seen", LOST, 1)]);
    assert_eq!(findings.found[0].examples, [found.url.to_string()]);
    assert_eq!(findings.left, []);
    assert!(store.find_entry(&found.url).unwrap().is_some());
    assert!(store.was_seen(&found.url).unwrap());
}

/// An unreadable entry names no URL; its URL is known, but neither stored nor queued.
#[test]
fn a_url_with_an_unreadable_entry_can_be_discovered_again() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    behind_its_back(folder.path(), |db| db.put_cf(db.cf_handle("frontier").unwrap(), b"\xff", b"").unwrap());
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "rows that cannot be read", 1), ("seen", LOST, 1)]);
    assert_eq!(findings.left, []);
    store.commit(Commit { discovered: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
}

/// The same if the repair is interrupted after its first batch: the row is removed, and the set has dropped its URL.
#[test]
fn an_interrupted_repair_loses_no_url() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    behind_its_back(folder.path(), |db| {
        let family = db.cf_handle("frontier").unwrap();
        // As many as fit into a batch, and more.
        (0..2_500u32).for_each(|number| db.put_cf(family, number.to_be_bytes(), b"").unwrap());
    });
    let store = open(folder.path());
    let cut_off = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.verify(
            VerifyOptions { repair: true, memory_bytes: MEMORY, ..VerifyOptions::default() },
            &mut |now| assert!(now.step != "reading the schedule", "cut off"),
        )
    }));
    assert!(cut_off.is_err());
    store.flush().unwrap();
    drop(store);
    let left = behind_its_back(folder.path(), |db| rows(db, "frontier").len());
    assert!((1..2_500).contains(&left), "{left}");
    let store = open(folder.path());
    assert!(!store.was_seen(&unheard().url).unwrap() && store.was_seen(&a_page(&store)).unwrap());
    assert_eq!(told(&repair(&store)), [("frontier", "rows that cannot be read", left as u64)]);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn urls_that_differ_only_in_parameter_order_are_one() {
    let (_folder, store) = large();
    let url = |text: &str| backlinkd::urls::UrlRules::default().canonical(text).unwrap();
    let found =
        ["http://p.test/?a=1&b=2", "http://p.test/?b=2&a=1"].map(|text| DiscoveredUrl::page(url(text), 1));
    store.commit(Commit { discovered: found.to_vec(), ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// A processed sitemap leaves no data, and its URL may belong to a page.
#[test]
fn a_processed_sitemap_is_no_known_url() {
    let (_folder, store) = large();
    let (url, priority, target) = (unheard().url, Priority::Sitemap, sitemap_target());
    let found = vec![DiscoveredUrl { url: url.clone(), priority, depth: 0, target: target.clone() }];
    store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    store.merge_discovered().unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default(), "while it is queued");
    let dispositions = vec![(QueueEntry { target, ..entry(&url, priority, 1) }, Disposition::Fetched)];
    store.commit(Commit { dispositions, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.commit(Commit { discovered: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_discovered().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// Such a visit stores no data, so the URL remains new.
#[test]
fn not_modified_for_an_unknown_page_makes_no_url_known() {
    let (_folder, store) = large();
    store.put(&[visit(&unheard().url, Visit::NotModified)]).unwrap();
    store.merge_discovered().unwrap();
    assert!(!store.was_seen(&unheard().url).unwrap());
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn failed_visits_store_a_page() {
    let folder = queued(&unheard());
    // Attempts, depth, a page.
    damage_the_row(folder.path(), "frontier", &[2, 1, 0]);
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "failed visits to pages that are not there", 1)]);
    assert_eq!(findings.left, []);
    let entry = store.find_entry(&unheard().url).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.depth), (0, 1));
}

/// It is lost only until its next visit.
#[test]
fn a_removed_page_is_visited_at_once() {
    let (folder, store) = large();
    let url = a_page(&store);
    drop(store);
    behind_its_back(folder.path(), |db| {
        db.delete_cf(db.cf_handle("pages").unwrap(), Surt::from(&url).as_bytes()).unwrap();
    });
    let store = open(folder.path());
    let findings = repair(&store);
    assert!(told(&findings).contains(&("schedule", "visits to pages that are not there", 1)), "{findings:?}");
    assert_eq!(findings.left, []);
    assert_eq!(store.take_due(1, 9).unwrap().1, 1);
    assert!(store.find_entry(&url).unwrap().is_some());
    store.put(&[visit(&url, answered(200, vec![]))]).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn crawls_leave_a_sound_index() {
    let mut site = Site::of(&random_web(7));
    site.config.crawl.recrawl_after = backlinkd::config::Span::default();
    let never = std::sync::atomic::AtomicBool::new(false);
    for most in [Some(5), Some(11), None, Some(20), None] {
        let job = backlinkd::crawl::CrawlJob { max_pages: most, ..job(&seeds()) };
        assert!(site.crawl(&job, &never).visits > 0);
        assert_eq!(look(&site.store, MEMORY), Findings::default(), "{most:?}");
    }
}
