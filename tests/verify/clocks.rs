//! Clocks that jump between visits, forwards and back: no commit writes days out of order or after its visit, and a
//! repair leaves no future day.

use backlinkd::model::{
    Day, DiscoveredUrl, Disposition, OutlinkRecord, Priority, QueueEntry, StoredPage, Target,
};
use backlinkd::policy::RevisitRules;
use backlinkd::store::Commit;
use proptest::sample::select;
use serde_json::Value;

use super::*;
use crate::api::server::Server;

const DAY: u64 = 86_400;
/// The error of a clock in days. The third to last is that of an empty battery.
const OFFSETS: [i64; 10] = [0, 0, 0, 400, 1, 12, -1, -30_000, -30, 20_000];

fn said(time: u64, offset: i64) -> u64 {
    time.saturating_add_signed(offset * DAY as i64)
}

/// The same visits with a clock that has another error in each commit.
fn jumped(commits: &[Vec<VisitRecord>], jumps: &[i64]) -> Vec<Vec<VisitRecord>> {
    let offset = jumps.iter().cycle();
    let by = |record: &VisitRecord, offset| VisitRecord {
        visited: said(record.visited, offset),
        ..record.clone()
    };
    commits
        .iter()
        .zip(offset)
        .map(|(records, offset)| records.iter().map(|r| by(r, *offset)).collect())
        .collect()
}

fn pages(store: &Store) -> Vec<(CanonicalUrl, StoredPage, Vec<OutlinkRecord>)> {
    let snapshot = store.snapshot();
    let known = |url: &CanonicalUrl| {
        let page = snapshot.page(url).unwrap()?;
        Some((url.clone(), page, snapshot.outlinks(url).unwrap()))
    };
    urls().iter().filter_map(known).collect()
}

fn last_visit(page: &StoredPage) -> Day {
    Day::from_unix_seconds(page.visited).max(Day(1))
}

/// The days of a page and of each of its links, in their required order.
fn chains(page: &StoredPage, links: &[OutlinkRecord]) -> Vec<Vec<Day>> {
    let last_fetch = if page.fetched_day == Day(0) { page.first_day } else { page.fetched_day };
    let chain = |link: &OutlinkRecord| {
        let absences = link.absences.iter().flat_map(|absence| [Some(absence.lost), absence.back]).flatten();
        let mut chain = vec![page.first_day, link.first_day];
        chain.extend(absences.chain([page.fetched_day, last_visit(page)]));
        chain
    };
    let own = vec![page.first_day, last_fetch, last_visit(page)];
    links.iter().map(chain).chain([own]).collect()
}

fn assert_in_order(store: &Store) {
    for (url, page, links) in pages(store) {
        for chain in chains(&page, &links) {
            assert!(chain.is_sorted(), "{url}: {chain:?}: {page:?} {links:?}");
        }
        let back_at_once = |absence: &backlinkd::model::Absence| absence.back == Some(absence.lost);
        assert!(!links.iter().any(|link| link.absences.iter().any(back_at_once)), "{url}: {links:?}");
    }
}

/// Target, seq, position, and whether the link is active.
type TimelessLink = (CanonicalUrl, u32, u32, bool);

/// The links and whether they are active, independent of the clock.
fn timeless(store: &Store) -> Vec<(CanonicalUrl, u16, u32, Vec<TimelessLink>)> {
    let link = |link: &OutlinkRecord| (link.target.clone(), link.seq, link.pos, link.is_active());
    let page = |(url, page, links): (_, StoredPage, Vec<_>)| {
        (url, page.facts.status, page.failures, links.iter().map(link).collect())
    };
    pages(store).into_iter().map(page).collect()
}

/// The invariants of a sound index, independent of the present.
fn order_alone() -> VerifyOptions {
    VerifyOptions { now: 100_000 * DAY, memory_bytes: MEMORY, ..VerifyOptions::default() }
}

/// The sums of the histories of links, compared with the present links.
fn assert_sums(server: &Server, domain: &str) {
    let get = |path: &str| server.client.json(path);
    let rows = |endpoint: &str| {
        get(&format!("/{endpoint}?url={domain}&scope=domain&from=19700101&to=99991231"))["response"].clone()
    };
    let sum = |rows: &Value, path: &str| -> u64 {
        let cells = rows.as_array().unwrap().iter();
        cells.map(|row| row.pointer(path).unwrap().as_u64().unwrap()).sum()
    };
    let count = |endpoint: &str| {
        get(&format!("/{endpoint}?url={domain}&scope=domain&from=19700101&to=99991231&limit=0"))["count"]
            .clone()
    };
    let whole = |active: &str| get(&format!("/backlinks?url={domain}&scope=domain&active={active}&limit=0"));
    let state = get(&format!("/backlinkshort?urls[]={domain}&scope=domain"))["response"][0].clone();
    let changes = rows("newandlost-histogram");
    for (path, key) in [("urls", "backlinks"), ("domains", "refdoms")] {
        let (new, lost) = (sum(&changes, &format!("/{path}/new")), sum(&changes, &format!("/{path}/lost")));
        assert_eq!(Value::from(new - lost), state[key], "{domain}: {changes}");
    }
    let seen = rows("backlinks-histogram");
    assert_eq!(Value::from(sum(&seen, "/urls")), whole("all")["count"], "{domain}: {seen}");
    assert_eq!(count("newbacklinks"), whole("all")["count"], "{domain}");
    assert_eq!(count("lostbacklinks"), whole("false")["count"], "{domain}");
    let today = seen.as_array().unwrap().last().map(|row| row["totalUrls"].clone());
    let last_change = changes.as_array().unwrap().last().map(|row| row["date"].clone());
    let last_seen = seen.as_array().unwrap().last().map(|row| row["date"].clone());
    if last_seen == last_change {
        assert_eq!(today.unwrap_or_else(|| 0.into()), state["backlinks"], "{domain}: {seen}");
    }
}

fn domains() -> std::collections::BTreeSet<&'static str> {
    urls().iter().map(|url| SUFFIXES.domain_of(url.host())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn days_stay_in_order_with_any_clock_and_a_repair_leaves_no_future_day(
        commits in histories(), jumps in prop::collection::vec(select(OFFSETS.to_vec()), 1..9),
    ) {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (store, right) = (open(folder.path()), open(other.path()));
        for (records, rightly) in jumped(&commits, &jumps).iter().zip(&commits) {
            store.put(records).unwrap();
            right.put(rightly).unwrap();
            assert_in_order(&store);
            for record in records {
                if let Some(page) = store.page(&record.url).unwrap() {
                    // No day is after the visit.
                    prop_assert!(page.fetched_day.max(page.first_day) <= last_visit(&page), "{page:?}");
                    prop_assert!(page.next_visit > 0);
                }
            }
            prop_assert_eq!(timeless(&store), timeless(&right));
            let found = store.verify(order_alone(), &mut |_| {}).unwrap();
            prop_assert_eq!(found, Findings::default());
        }
        let now = commits.iter().flatten().map(|record| record.visited).max().unwrap();
        let options = VerifyOptions { now, longest_wait: 90 * DAY, memory_bytes: MEMORY, ..order_alone() };
        let repaired = store.verify(VerifyOptions { repair: true, ..options }, &mut |_| {}).unwrap();
        prop_assert_eq!(repaired.left, vec![]);
        assert_in_order(&store);
        prop_assert_eq!(timeless(&store), timeless(&right));
        for (_, page, _) in pages(&store) {
            prop_assert!(page.visited <= now + DAY && page.next_visit <= now + 91 * DAY, "{page:?}");
        }
        prop_assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
        let server = Server::of(&Arc::new(store));
        domains().into_iter().for_each(|domain| assert_sums(&server, domain));
    }
}

const PAGE: &str = "http://example.com/a";

fn visit_of(url: &str, day: u64, targets: &[&str]) -> VisitRecord {
    let url = urls().iter().find(|known| known.as_str() == url).unwrap().clone();
    let links = targets.iter().map(|target| link(target)).collect();
    VisitRecord { url, visited: day * DAY + 7, visit: answered(200, links) }
}

const OLD: &str = "https://github.io/";
const NEW: &str = "https://alice.github.io/";
const BACK: &str = "https://bob.github.io:444/";
const OWN: &str = "http://www.example.com/";

/// Visits on three days: a link goes, one comes, one goes and comes back.
fn visits(days: [u64; 3]) -> Vec<VisitRecord> {
    let targets: [&[&str]; 3] = [&[OLD, BACK, OWN], &[NEW, OWN], &[NEW, BACK, OWN]];
    days.iter().zip(targets).map(|(day, targets)| visit_of(PAGE, *day, targets)).collect()
}

/// Copies the rows of a family from one closed index to another.
fn copy_rows(from: &Path, to: &Path, families: &[&str]) {
    for family in families {
        let rows = behind_its_back(from, |db| rows(db, family));
        behind_its_back(to, |db| {
            let family = db.cf_handle(family).unwrap();
            rows.iter().for_each(|(key, value)| db.put_cf(family, key, value).unwrap());
        });
    }
}

/// An index whose pages were visited on these days, and whose links have other days. A program that trusted every clock
/// would have left it like this.
fn left_behind(pages: [u64; 3], links: [u64; 3]) -> TempDir {
    let (own, other) = (Made::of(&visits(pages)).copy(), Made::of(&visits(links)).copy());
    copy_rows(other.path(), own.path(), &["outlinks", "backlinks"]);
    own
}

/// First day and absences of the link to a target.
fn days_of(store: &Store, target: &str) -> (u32, Vec<(u32, Option<u32>)>) {
    let links = pages(store).into_iter().flat_map(|(_, _, links)| links);
    let link = links.into_iter().find(|link| link.target.as_str() == target).unwrap();
    let absence = |absence: &backlinkd::model::Absence| (absence.lost.0, absence.back.map(|day| day.0));
    (link.first_day.0, link.absences.iter().map(absence).collect())
}

#[test]
fn days_of_links_are_moved_between_the_first_and_the_last_visit() {
    type Days = (u32, Vec<(u32, Option<u32>)>);
    let cases: [([u64; 3], [Days; 3]); 4] = [
        // The clock was ahead all the time.
        ([500, 507, 514], [(114, vec![(114, None)]), (114, vec![]), (114, vec![])]),
        // At the last visit.
        ([100, 107, 514], [(100, vec![(107, None)]), (107, vec![]), (100, vec![(107, Some(114))])]),
        // Before the first visit of the page.
        ([3, 4, 5], [(100, vec![(100, None)]), (100, vec![]), (100, vec![])]),
        // A little at the second visit, and at the last one.
        ([100, 112, 120], [(100, vec![(112, None)]), (112, vec![]), (100, vec![(112, Some(114))])]),
    ];
    for (links, right) in cases {
        let folder = left_behind([100, 107, 114], links);
        let store = open(folder.path());
        let options = VerifyOptions { now: 115 * DAY, memory_bytes: MEMORY, ..VerifyOptions::default() };
        let number = store.change_number();
        let found = store.verify(VerifyOptions { repair: true, ..options }, &mut |_| {}).unwrap();
        let lists = "lists of links with days before the first or after the last visit to their page, or out of order";
        assert_eq!(
            told(&found),
            [("backlinks", "rows with other days than their link or its page", 3), ("outlinks", lists, 1)],
            "{links:?}"
        );
        assert_eq!(found.left, []);
        assert_eq!([OLD, NEW, BACK].map(|target| days_of(&store, target)), right, "{links:?}");
        assert_in_order(&store);
        assert!(store.change_number() > number, "whoever keeps answers must notice");
        let server = Server::of(&Arc::new(store));
        domains().into_iter().for_each(|domain| assert_sums(&server, domain));
    }
}

#[test]
fn an_interrupted_repair_of_links_is_completed_by_the_next() {
    let folder = left_behind([100, 107, 114], [500, 507, 514]);
    let store = open(folder.path());
    let options =
        VerifyOptions { now: 115 * DAY, memory_bytes: MEMORY, repair: true, ..VerifyOptions::default() };
    drop(store);
    // The state after a repair that wrote only its first batch.
    let whole = left_behind([100, 107, 114], [500, 507, 514]);
    let repaired = open(whole.path());
    repaired.verify(options, &mut |_| {}).unwrap();
    repaired.flush().unwrap();
    drop(repaired);
    copy_rows(whole.path(), folder.path(), &["outlinks"]);
    let store = open(folder.path());
    let found = store.verify(options, &mut |_| {}).unwrap();
    assert_eq!(told(&found), [("backlinks", "rows with other days than their link or its page", 3)]);
    assert_eq!(found.left, []);
    drop(store);
    assert!(dump(folder.path())["backlinks"] == dump(whole.path())["backlinks"]);
}

/// The second visit of the page, with a clock that is behind the first visit.
#[test]
fn every_outcome_of_a_visit_keeps_the_days_in_order() {
    let not_modified = Visit::NotModified;
    let failed = Visit::Failed(backlinkd::model::FailureKind::Timeout, String::new());
    let (unsettled, gone) = (answered(503, vec![]), answered(404, vec![]));
    for visit in [not_modified, failed, unsettled, gone, answered(200, vec![link(NEW)])] {
        for day in [0, 1, 99] {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            store.put(&visits([100, 107, 114])).unwrap();
            let record = VisitRecord { visit: visit.clone(), ..visit_of(PAGE, day, &[]) };
            store.put(std::slice::from_ref(&record)).unwrap();
            assert_in_order(&store);
            assert_eq!(store.verify(order_alone(), &mut |_| {}).unwrap(), Findings::default(), "{visit:?}");
            let page = store.page(&record.url).unwrap().unwrap();
            let last = Day(1.max(day as u32));
            assert_eq!((page.first_day, page.fetched_day), (last, last), "{visit:?}");
        }
    }
}

#[test]
fn visits_too_far_in_the_future_are_moved_forward() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let longest = std::time::Duration::from_secs(20 * DAY);
    store.set_revisit_rules(RevisitRules { max: longest, ..RevisitRules::default() });
    let (wrong, near) = (visit_of(PAGE, 500, &[]), visit_of(OWN, 100, &[]));
    let url = urls()[9].clone();
    let waiting = QueueEntry {
        url: url.clone(),
        priority: Priority::Seed,
        depth: 2,
        attempts: 0,
        target: Target::Page,
    };
    store.commit(Commit { discovered: vec![DiscoveredUrl::seed(url.clone())], ..Commit::default() }).unwrap();
    let dispositions = vec![(waiting, Disposition::Postponed(900 * DAY))];
    let records = vec![wrong.clone(), near.clone()];
    store.commit(Commit { dispositions, records, ..Commit::default() }).unwrap();
    // The record of the page from another visit, scheduled when longer waits were allowed.
    store.set_revisit_rules(RevisitRules {
        first: 300 * longest,
        max: 300 * longest,
        ..RevisitRules::default()
    });
    let patient = visit_of("http://example.com/ab", 90, &[]);
    store.put(std::slice::from_ref(&patient)).unwrap();
    store.set_revisit_rules(RevisitRules { max: longest, ..RevisitRules::default() });

    let now = 101 * DAY;
    let (first, count) = store.reschedule_far(now, 2).unwrap();
    let (second, rest) = store.reschedule_far(now, 2).unwrap();
    assert_eq!((first.len() + second.len(), count, rest), (0, 2, 1));
    assert_eq!(store.reschedule_far(now, 2).unwrap().1, 0, "what is near stays");
    let next = |record: &VisitRecord| store.page(&record.url).unwrap().unwrap().next_visit;
    assert_eq!(next(&wrong), 121 * DAY);
    assert_eq!(next(&near), near.visited + 7 * DAY);
    assert_eq!(next(&patient), patient.visited + 20 * DAY);
    let options = VerifyOptions { now: 501 * DAY, memory_bytes: MEMORY, ..VerifyOptions::default() };
    assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
    assert_eq!(store.take_due(121 * DAY, 9).unwrap().1, 4);
    assert!(store.find_entry(&url).unwrap().is_some());

    // A page whose last visit is longer ago than any wait is due.
    store.set_revisit_rules(RevisitRules {
        first: 300 * longest,
        max: 300 * longest,
        ..RevisitRules::default()
    });
    store.put(&[visit_of("http://example.com/a?b=c", 10, &[])]).unwrap();
    store.set_revisit_rules(RevisitRules { max: longest, ..RevisitRules::default() });
    let (arrivals, count) = store.reschedule_far(now, 9).unwrap();
    assert_eq!((arrivals.len(), count), (1, 1));
    assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
}
