//! What the crawl knows of imported pages: nothing, unless the import says so.

use backlinkd::model::DiscoveredUrl;

use super::*;

fn visit(page: &CanonicalUrl, day: u64, status: u16) -> VisitRecord {
    let links = vec![web::link("http://b.org/")];
    VisitRecord { url: page.clone(), visited: day * 86_400, visit: web::answered(status, links) }
}

fn found(store: &Store, page: &CanonicalUrl, depth: u16) -> bool {
    let discovered = vec![DiscoveredUrl::page(page.clone(), depth)];
    store.commit(Commit { discovered, ..Commit::default() }).unwrap();
    store.merge_discovered().unwrap();
    store.find_entry(page).unwrap().is_some()
}

#[test]
fn an_imported_page_is_new_to_a_crawl_that_discovers_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open_with(folder.path(), &config());
    let (page, other) = (url("http://example.com/"), url("http://example.com/a"));
    store.import(&[visit(&page, 100, 200), visit(&other, 100, 404)], policy()).unwrap();
    store.import(&[visit(&page, 90, 200)], policy()).unwrap();
    assert_eq!((store.next_due().unwrap(), store.stats().unwrap().queued), (None, 0));
    for known in [&page, &other, &url("http://b.org/")] {
        assert!(!store.was_seen(known).unwrap());
    }
    assert_sound(&store);
    // A lost seen set is rebuilt without it.
    store.rebuild_seen_set().unwrap();
    drop(store);
    store = open_with(folder.path(), &config());
    assert!(!store.was_seen(&page).unwrap());
    assert!(found(&store, &page, 3));
    assert_sound(&store);
    let entry = store.find_entry(&page).unwrap().unwrap();
    let commit = Commit {
        records: vec![visit(&page, 300, 200)],
        dispositions: vec![(entry, Disposition::Fetched)],
        ..Commit::default()
    };
    store.commit(commit).unwrap();
    let known = store.page(&page).unwrap().unwrap();
    assert_eq!((known.depth, known.first_day.0), (3, 90));
    assert_eq!(store.next_due().unwrap(), Some(known.next_visit));
    assert!(!found(&store, &page, 1), "the crawl knows it now");
    assert_sound(&store);
    // A later import leaves the plan.
    store.import(&[visit(&page, 310, 404), visit(&page, 80, 200)], policy()).unwrap();
    let later = store.page(&page).unwrap().unwrap();
    assert_eq!((later.facts.status, later.next_visit, later.first_day.0), (404, known.next_visit, 80));
    assert_sound(&store);
}

#[test]
fn a_seed_a_failure_and_a_direct_visit_make_the_page_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let pages = ["http://example.com/", "http://example.com/a", "http://example.com/ab"].map(url);
    let all = pages.each_ref().map(|page| visit(page, 100, 200));
    store.import(&all, policy()).unwrap();
    let [seed, postponed, direct] = &pages;
    let discovered = vec![DiscoveredUrl::seed(seed.clone()), DiscoveredUrl::page(postponed.clone(), 1)];
    store.commit(Commit { discovered, ..Commit::default() }).unwrap();
    store.merge_discovered().unwrap();
    assert_sound(&store);
    let entry = store.find_entry(seed).unwrap().unwrap();
    let failed = Visit::Failed(FailureKind::Timeout, String::new());
    let again = QueueEntry { attempts: 1, ..entry };
    let other = store.find_entry(postponed).unwrap().unwrap();
    store
        .commit(Commit {
            records: vec![VisitRecord { url: seed.clone(), visited: 200 * 86_400, visit: failed }],
            dispositions: vec![(again, Disposition::Retry), (other, Disposition::Postponed(20_000_000))],
            ..Commit::default()
        })
        .unwrap();
    assert_sound(&store);
    store.put(&[visit(direct, 200, 200)]).unwrap();
    assert_sound(&store);
    store.merge_discovered().unwrap();
    assert!(store.was_seen(direct).unwrap());
    assert_sound(&store);
}

#[test]
fn an_import_that_follows_schedules_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let page = url("http://example.com/");
    let follow = ImportPolicy { follow: true, ..policy() };
    store.import(&[visit(&page, 100, 200)], policy()).unwrap();
    assert_eq!(store.next_due().unwrap(), None);
    let counts = store.import(&[visit(&page, 100, 200)], follow).unwrap();
    assert_eq!((counts.stored, counts.known), (0, 1));
    assert_eq!(store.next_due().unwrap(), Some(107 * 86_400));
    assert_sound(&store);
    store.import(&[visit(&url("http://example.com/a"), 90, 200)], follow).unwrap();
    store.merge_discovered().unwrap();
    assert!(store.was_seen(&page).unwrap());
    assert_eq!(store.take_due(NOW, 10).unwrap().1, 2);
    assert_sound(&store);
}

#[test]
fn an_archived_page_of_tomorrow_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let page = url("http://example.com/");
    let policy = ImportPolicy { follow: false, now: 100 * 86_400 };
    let counts = store.import(&[visit(&page, 102, 200), visit(&page, 100, 200)], policy).unwrap();
    assert_eq!((counts.stored, counts.in_future), (1, 1));
    assert_eq!(store.page(&page).unwrap().unwrap().visited, 100 * 86_400);
}

#[test]
fn a_confirmation_counts_once_its_page_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let page = url("http://example.com/");
    let confirmed = VisitRecord { url: page.clone(), visited: 110 * 86_400, visit: Visit::NotModified };
    assert_eq!(store.import(&[confirmed], policy()).unwrap().stored, 1);
    assert_eq!(store.page(&page).unwrap(), None);
    assert_sound(&store);
    store.import(&[visit(&page, 100, 200)], policy()).unwrap();
    let known = store.page(&page).unwrap().unwrap();
    assert_eq!((known.first_day.0, known.fetched_day.0), (100, 110));
    assert_sound(&store);
}
