//! What a crawl keeps for itself: queue, schedule, and the set of known URLs.

use backlinkd::frontier::{Found, Priority, QueuedUrl, Target};
use backlinkd::model::FailureKind;
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

fn entry(url: &CanonicalUrl, priority: Priority, attempts: u32) -> QueuedUrl {
    QueuedUrl { url: url.clone(), priority, depth: 0, attempts, target: Target::Page }
}

fn visit(url: &CanonicalUrl, visit: Visit) -> PageRecord {
    PageRecord { url: url.clone(), visited: 19_100 * 86_400, visit }
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
fn a_page_that_stands_nowhere_is_visited_at_once() {
    let (folder, store) = large();
    let url = a_page(&store);
    let records = vec![visit(&url, Visit::Failed(FailureKind::Timeout, String::new()))];
    let retried = vec![entry(&url, Priority::again(7), 1)];
    store.commit(Commit { records, retried, ..Commit::default() }).unwrap();
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
    assert!(store.entry_of(&url).unwrap().is_some());
}

#[test]
fn a_due_page_that_fell_out_of_the_queue_is_scheduled_again() {
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

/// An entry of a page that is known already, as if it had been met for the first time, brings no visit.
#[test]
fn an_entry_that_brings_no_visit_does_not_count() {
    let (folder, store) = large();
    let url = a_page(&store);
    let records = vec![visit(&url, Visit::Failed(FailureKind::Timeout, String::new()))];
    store
        .commit(Commit { records, retried: vec![entry(&url, Priority::New(2), 0)], ..Commit::default() })
        .unwrap();
    assert_eq!(told(&look(&store, 1)), [("pages", "pages that are neither queued nor scheduled", 1)]);
    drop(folder);
}

#[test]
fn a_url_that_was_put_off_and_got_a_page_then_has_two_times() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let url = urls()[0].clone();
    let found = || vec![Found::seed(url.clone())];
    let queued = entry(&url, Priority::Seed, 0);
    store.commit(Commit { found: found(), ..Commit::default() }).unwrap();
    let put_off = vec![(queued.clone(), 19_200 * 86_400)];
    store.commit(Commit { put_off, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.commit(Commit { found: found(), ..Commit::default() }).unwrap();
    let records = vec![visit(&url, answered(200, vec![]))];
    store.commit(Commit { records, done: vec![queued], ..Commit::default() }).unwrap();
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
    let found = vec![Found { url: url.clone(), priority, depth: 0, target: target.clone() }];
    store.commit(Commit { found, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    let queued = QueuedUrl { target, ..entry(&url, priority, 0) };
    store.commit(Commit { put_off: vec![(queued, 5)], ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    assert_eq!(store.take_due(u64::MAX - 1, 9).unwrap().1, 1, "the page alone");
}

#[test]
fn a_url_that_is_not_known_is_found() {
    let (folder, store) = large();
    let strange = backlinkd::urls::UrlRules::default().canonical("http://strange.test/").unwrap();
    // Behind the back of the set.
    store
        .commit(Commit { retried: vec![entry(&strange, Priority::New(2), 0)], ..Commit::default() })
        .unwrap();
    store
        .commit(Commit { put_off: vec![(entry(&strange, Priority::New(6), 0), 7)], ..Commit::default() })
        .unwrap();
    for memory_bytes in [1, MEMORY] {
        let findings = look(&store, memory_bytes);
        assert_eq!(told(&findings), [("seen", "pages, queued or scheduled URLs that are not known", 2)]);
        assert_eq!(findings.found[0].examples, ["http://strange.test/"; 2]);
    }
    assert!(!store.was_met(&strange).unwrap());
    assert_eq!(repair(&store).left, []);
    assert!(store.was_met(&strange).unwrap() && store.was_met(&a_page(&store)).unwrap());
    drop(store);
    assert!(open(folder.path()).was_met(&strange).unwrap());
}

#[test]
fn a_damaged_set_is_made_anew() {
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
    let (url, known) = (a_page(&store), store.known_urls());
    drop(store);
    damage_file(folder.path(), flip);
    let store = open(folder.path());
    assert_eq!(told(&look(&store, MEMORY)), [("seen", "files that are damaged", 1)]);
    assert_eq!(repair(&store).left, []);
    assert_eq!((store.known_urls(), store.was_met(&url).unwrap()), (known, true));
    drop(store);

    behind_its_back(folder.path(), |db| db.delete_cf(db.cf_handle("meta").unwrap(), b"sieve").unwrap());
    let store = open(folder.path());
    let what = "pages, queued or scheduled URLs that are not known";
    assert_eq!(told(&look(&store, MEMORY)), [("seen", what, 2 * known)]);
    assert_eq!(repair(&store).left, []);
    drop(store);

    // What keeps the set from being opened is made good at once.
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
        assert_eq!((store.known_urls(), store.was_met(&url).unwrap()), (known, true));
    }
}

#[test]
fn a_damaged_row_of_urls_that_were_met_is_told_before_it_is_lost() {
    let (folder, store) = large();
    let unheard = |number: u32| {
        let text = format!("http://unheard{number}.test/");
        Found::page(backlinkd::urls::UrlRules::default().canonical(&text).unwrap(), 1)
    };
    for number in 0..2 {
        store.commit(Commit { found: vec![unheard(number)], ..Commit::default() }).unwrap();
    }
    store.flush().unwrap();
    drop(store);
    behind_its_back(folder.path(), |db| {
        let key = rows(db, "met").into_keys().next().unwrap();
        db.put_cf(db.cf_handle("met").unwrap(), key, b"\x05\x01").unwrap();
    });
    let store = open(folder.path());
    assert!(matches!(store.merge_met(), Err(StoreError::Damaged { family: "met", .. })));
    let findings = repair(&store);
    assert_eq!((told(&findings), findings.left), (vec![("met", "rows that cannot be read", 1)], vec![]));
    assert_eq!(store.met_urls(), 1);
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(store.entry_of(&unheard(1).url).unwrap().map(|entry| entry.url), Some(unheard(1).url));
    // Whoever is lost is new to the next who meets it.
    store.commit(Commit { found: vec![unheard(0)], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn of_a_damaged_row_of_urls_that_were_met_the_readable_ones_are_kept() {
    let (folder, store) = large();
    let url = |text: &str| backlinkd::urls::UrlRules::default().canonical(text).unwrap();
    let [first, last] = ["http://first.test/", "http://last.test/"].map(|text| Found::page(url(text), 1));
    store.commit(Commit { found: vec![first.clone(), last.clone()], ..Commit::default() }).unwrap();
    store.flush().unwrap();
    drop(store);
    behind_its_back(folder.path(), |db| {
        let (key, value) = rows(db, "met").pop_first().unwrap();
        db.put_cf(db.cf_handle("met").unwrap(), key, &value[..value.len() - 1]).unwrap();
    });
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!((told(&findings), findings.left), (vec![("met", "rows that cannot be read", 1)], vec![]));
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert!(store.entry_of(&first.url).unwrap().is_some());
    store.commit(Commit { found: vec![last], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
}

fn unheard() -> Found {
    Found::page(backlinkd::urls::UrlRules::default().canonical("http://lost.test/").unwrap(), 1)
}

/// An index where this URL is known, and waits in the queue.
fn queued(found: &Found) -> TempDir {
    let (folder, store) = large();
    store.commit(Commit { found: vec![found.clone()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.flush().unwrap();
    folder
}

/// Puts something else into the only row of a family.
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
    assert_eq!(store.entry_of(&entry.url).unwrap(), Some(entry));
}

/// A row under a key that is not quite its own goes where it belongs.
#[test]
fn a_queued_url_under_a_wrong_key_is_put_in_its_place() {
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
    assert!(store.entry_of(&unheard().url).unwrap().is_some());
}

#[test]
fn a_scheduled_url_is_not_given_up_for_its_depth() {
    let folder = queued(&unheard());
    let store = open(folder.path());
    let put_off = vec![(entry(&unheard().url, unheard().priority, 0), 1)];
    store.commit(Commit { put_off, ..Commit::default() }).unwrap();
    store.flush().unwrap();
    drop(store);
    damage_the_row(folder.path(), "schedule", b"\x00\x07");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("schedule", "rows that cannot be read", 1)]);
    assert_eq!(findings.left, []);
    assert_eq!(store.take_due(1, 9).unwrap().1, 1);
    assert!(store.entry_of(&unheard().url).unwrap().is_some());
}

const LOST: &str = "known URLs that are no page, and neither queued nor scheduled";

#[test]
fn a_known_url_that_stands_nowhere_is_found_and_new_to_whoever_meets_it() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    for memory_bytes in [1, MEMORY] {
        let findings = look(&store, memory_bytes);
        assert_eq!(told(&findings), [("seen", LOST, 1)]);
        // Nothing that people could read is left of it.
        assert_eq!(findings.found[0].to_string(), format!("seen: {LOST}: 1"));
    }
    assert_eq!(repair(&store).left, []);
    assert!(!store.was_met(&unheard().url).unwrap() && store.was_met(&a_page(&store)).unwrap());
    store.commit(Commit { found: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// Its linking pages may stay as they are for years.
#[test]
fn a_known_url_that_stands_nowhere_is_queued_if_a_page_links_to_it() {
    let (_folder, store) = large();
    let pages: Vec<_> = store.snapshot().graph().map(|page| page.unwrap()).collect();
    let targets = pages.iter().flat_map(|page| &page.links).map(|link| link.target.clone());
    let url = targets.into_iter().find(|url| store.page(url).unwrap().is_none()).unwrap();
    drop(store);
    let found = Found::page(url, 1);
    let folder = queued(&found);
    remove_the_row(folder.path(), "frontier");
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("seen", LOST, 1)]);
    assert_eq!(findings.found[0].examples, [found.url.to_string()]);
    assert_eq!(findings.left, []);
    assert!(store.entry_of(&found.url).unwrap().is_some());
    assert!(store.was_met(&found.url).unwrap());
}

/// An entry that nobody can read names no URL; the URL that it named is known, and stands nowhere.
#[test]
fn a_url_whose_entry_cannot_be_read_is_met_anew() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    behind_its_back(folder.path(), |db| db.put_cf(db.cf_handle("frontier").unwrap(), b"\xff", b"").unwrap());
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "rows that cannot be read", 1), ("seen", LOST, 1)]);
    assert_eq!(findings.left, []);
    store.commit(Commit { found: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
}

/// The same when the repair is cut off after its first batch: the row is gone, and the set has forgotten its URL.
#[test]
fn a_repair_that_is_cut_off_loses_no_url() {
    let folder = queued(&unheard());
    remove_the_row(folder.path(), "frontier");
    behind_its_back(folder.path(), |db| {
        let family = db.cf_handle("frontier").unwrap();
        // As many as go into a batch, and more.
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
    assert!(!store.was_met(&unheard().url).unwrap() && store.was_met(&a_page(&store)).unwrap());
    assert_eq!(told(&repair(&store)), [("frontier", "rows that cannot be read", left as u64)]);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn urls_that_differ_in_the_order_of_their_parameters_are_one() {
    let (_folder, store) = large();
    let url = |text: &str| backlinkd::urls::UrlRules::default().canonical(text).unwrap();
    let found = ["http://p.test/?a=1&b=2", "http://p.test/?b=2&a=1"].map(|text| Found::page(url(text), 1));
    store.commit(Commit { found: found.to_vec(), ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// A sitemap that was read leaves nothing behind, and its URL may be a page's for all that is known.
#[test]
fn a_sitemap_that_was_read_is_no_known_url() {
    let (_folder, store) = large();
    let (url, priority, target) = (unheard().url, Priority::Sitemap, sitemap_target());
    let found = vec![Found { url: url.clone(), priority, depth: 0, target: target.clone() }];
    store.commit(Commit { found, ..Commit::default() }).unwrap();
    store.merge_met().unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default(), "while it is queued");
    let done = vec![QueuedUrl { target, ..entry(&url, priority, 1) }];
    store.commit(Commit { done, ..Commit::default() }).unwrap();
    assert_eq!(look(&store, MEMORY), Findings::default());
    store.commit(Commit { found: vec![unheard()], ..Commit::default() }).unwrap();
    assert_eq!(store.merge_met().unwrap().len(), 1);
    assert_eq!(look(&store, MEMORY), Findings::default());
}

/// Nothing is stored by it, so the URL is as new as it was.
#[test]
fn word_that_an_unknown_page_is_the_same_makes_no_url_known() {
    let (_folder, store) = large();
    store.put(&[visit(&unheard().url, Visit::NotModified)]).unwrap();
    store.merge_met().unwrap();
    assert!(!store.was_met(&unheard().url).unwrap());
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn failed_visits_leave_a_page() {
    let folder = queued(&unheard());
    // Attempts, depth, a page.
    damage_the_row(folder.path(), "frontier", &[2, 1, 0]);
    let store = open(folder.path());
    let findings = repair(&store);
    assert_eq!(told(&findings), [("frontier", "failed visits to pages that are not there", 1)]);
    assert_eq!(findings.left, []);
    let entry = store.entry_of(&unheard().url).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.depth), (0, 1));
}

/// It is lost for no longer than it takes to visit it again.
#[test]
fn a_page_that_is_gone_is_visited_at_once() {
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
    assert!(store.entry_of(&url).unwrap().is_some());
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
        assert!(site.crawl(&job, &never).pages > 0);
        assert_eq!(look(&site.store, MEMORY), Findings::default(), "{most:?}");
    }
}
