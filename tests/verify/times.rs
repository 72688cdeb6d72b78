//! Impossible times, and other checks that only the reader of the data can make.

use backlinkd::model::{Day, DiscoveredUrl, Disposition, QueueEntry, QueueName};
use backlinkd::store::Commit;

use super::*;

const DAY: u64 = 86_400;

fn verified(store: &Store, options: VerifyOptions) -> Findings {
    let looked = store.verify(options, &mut |_| {}).unwrap();
    assert_eq!(looked.found, looked.left);
    let repaired = store.verify(VerifyOptions { repair: true, ..options }, &mut |_| {}).unwrap();
    assert_eq!((&repaired.found, &repaired.left), (&looked.found, &vec![]));
    repaired
}

#[test]
fn no_page_has_a_visit_in_the_future() {
    let folder = LARGE.copy();
    let store = open(folder.path());
    let visited = |store: &Store| {
        let pages = store.snapshot().graph().map(|page| page.unwrap().page).collect::<Vec<_>>();
        (pages.iter().map(|page| page.visited).max().unwrap(), pages)
    };
    // The clock may have been wrong by a day.
    let (now, longest_wait) = (visited(&store).0 - DAY, 90 * DAY);
    let options = VerifyOptions { now, longest_wait, ..VerifyOptions::default() };
    assert_eq!(verified(&store, options), Findings::default());

    let now = now - 20 * DAY;
    let findings = verified(&store, VerifyOptions { now, longest_wait: 0, ..options });
    let what = "pages with times that are still to come, or visits that are too far off";
    let (latest, pages) = visited(&store);
    assert!(told(&findings).contains(&("pages", what, pages.len() as u64)), "{findings:?}");
    assert_eq!(latest, now);
    let today = Day::from_unix_seconds(now);
    assert!(pages.iter().all(|page| page.first_day == today && page.fetched_day <= today));
    // All of them are visited at once.
    assert_eq!(store.take_due(now, 1_000).unwrap().1, pages.len());
    assert_eq!(look(&store, MEMORY), Findings::default());
}

#[test]
fn no_url_is_postponed_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let found = DiscoveredUrl::seed(urls()[0].clone());
    let DiscoveredUrl { url, priority, depth, target } = found.clone();
    let queued = QueueEntry { url, priority, depth, target, attempts: 0 };
    store.commit(Commit { discovered: vec![found], ..Commit::default() }).unwrap();
    let options = VerifyOptions { longest_wait: 90 * DAY, ..VerifyOptions::default() };
    let put_off = |time| Commit {
        dispositions: vec![(queued.clone(), Disposition::Postponed(time))],
        ..Commit::default()
    };
    store.commit(put_off(options.now + 90 * DAY)).unwrap();
    assert_eq!(verified(&store, options), Findings::default());
    store.commit(put_off(options.now + 92 * DAY)).unwrap();
    assert_eq!(told(&verified(&store, options)), [("schedule", "visits that are too far off", 1)]);
    assert_eq!(store.next_due().unwrap(), Some(options.now));
}

#[test]
fn no_host_is_backed_off_for_longer_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let host = QueueName::of(&urls()[0]);
    let options = VerifyOptions { longest_sleep: 3 * DAY, ..VerifyOptions::default() };
    let asleep = |time| Commit { backoffs: vec![(host.clone(), time)], ..Commit::default() };
    store.commit(asleep(options.now + 3 * DAY)).unwrap();
    assert_eq!(verified(&store, options), Findings::default());
    store.commit(asleep(options.now + 5 * DAY)).unwrap();
    assert_eq!(told(&verified(&store, options)), [("hosts", "hosts left alone for longer than any is", 1)]);
    assert_eq!(store.host(&host).unwrap().backoff_until, options.now + 3 * DAY);
}

#[test]
fn a_robots_txt_is_checked_by_the_code_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let options = VerifyOptions { is_robots: |bytes| bytes == b"mine", ..VerifyOptions::default() };
    for origin in ["http://a.test", "https://a.test:8443", "http://[::1]"] {
        store.keep_robots(origin, b"mine").unwrap();
    }
    assert_eq!(verified(&store, options), Findings::default());
    store.keep_robots("http://b.test", b"yours").unwrap();
    assert_eq!(told(&verified(&store, options)), [("robots", "rows that cannot be read", 1)]);
    assert_eq!(store.robots("http://b.test").unwrap(), None);
}
