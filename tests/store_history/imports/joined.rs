//! Imports of pages that the crawler visits too. It keeps intervals instead of visits, so equality holds where they show
//! each of its visits: one link to a target, and a new link at each visit.

use backlinkd::model::{Link, LinkTag, Rel};

use super::*;

/// Limits that these histories do not reach.
fn roomy() -> StoreConfig {
    StoreConfig { max_former_links: 1_000, max_absences: 100, ..config() }
}

/// Visits to one page, each on a day of its own, and whether the crawler makes it. Each has a link that no other has.
fn joined_histories() -> impl Strategy<Value = Vec<(VisitRecord, bool)>> {
    let targets = prop::collection::vec(any::<bool>(), 8);
    prop::collection::vec((targets, 1u64..4, any::<bool>(), 0u8..9), 2..12).prop_map(|visits| {
        let (mut day, mut number) = (19_000, 0);
        let page = url("http://example.com/");
        let visit = |(targets, days, is_live, kind): (Vec<bool>, u64, bool, u8)| {
            (day, number) = (day + days, number + 1);
            let text = |at: usize| if is_live { "live".to_owned() } else { format!("text {}", at + number) };
            let known = targets.iter().enumerate().filter(|(_, is_there)| **is_there);
            let link = |(at, _): (usize, _)| Link {
                target: url(&format!("http://t{at}.org/")),
                tag: LinkTag::A,
                rel: Rel::NONE,
                anchor: text(at),
            };
            let mut links: Vec<Link> = known.map(link).collect();
            links.push(web::link(&format!("http://only-{number}.org/")));
            let visit = match kind {
                0 if !is_live => Visit::NotModified,
                1 if !is_live => Visit::Failed(FailureKind::Timeout, String::new()),
                2 if !is_live => web::answered(503, Vec::new()),
                3 if !is_live => web::answered(404, Vec::new()),
                _ => web::answered(200, links),
            };
            (VisitRecord { url: page.clone(), visited: day * 86_400 + 77, visit }, is_live)
        };
        visits.into_iter().map(visit).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn imports_and_visits_of_the_crawler_give_the_index_of_all_in_order(
        visits in joined_histories(),
        seed in any::<u64>(),
    ) {
        let all: Vec<VisitRecord> = visits.iter().map(|(visit, _)| visit.clone()).collect();
        let part = |live: bool| visits.iter().filter(move |(_, is_live)| *is_live == live).map(|(visit, _)| visit.clone());
        let mut live: std::collections::VecDeque<VisitRecord> = part(true).collect();
        let imported: Vec<VisitRecord> = part(false).collect();
        let expected = live_index(&all, &roomy());
        let folder = tempfile::tempdir().unwrap();
        let store = open_with(folder.path(), &roomy());
        let mut dice = Dice(seed);
        let mut calls = shuffled(&imported, &mut dice);
        while !live.is_empty() || !calls.is_empty() {
            // The crawler's visits are in order, and none is older than what the index has.
            let is_older = |call: &Vec<VisitRecord>| {
                let is_older = |visit: &VisitRecord| live.front().is_none_or(|next| visit.visited < next.visited);
                call.iter().all(is_older)
            };
            match calls.iter().position(is_older) {
                Some(at) if live.is_empty() || dice.below(3) > 0 => {
                    store.import(&calls.remove(at), policy()).unwrap();
                }
                _ => store.put(&[live.pop_front().unwrap()]).unwrap(),
            }
            assert_sound(&store);
        }
        assert_same(&read(store), &expected);
    }

    /// Whatever the visits are, the index stays sound, and its present is that of the newest visit.
    #[test]
    fn any_mixture_leaves_a_sound_index(commits in web::histories(), seed in any::<u64>()) {
        let visits = commits.concat();
        let folder = tempfile::tempdir().unwrap();
        let store = open_with(folder.path(), &config());
        let mut dice = Dice(seed);
        for call in shuffled(&visits, &mut dice) {
            if dice.below(2) == 0 {
                store.put(&call).unwrap();
            } else {
                store.import(&call, policy()).unwrap();
            }
            assert_sound(&store);
        }
        store.merge_discovered().unwrap();
        assert_sound(&store);
        store.rebuild_seen_set().unwrap();
        assert_sound(&store);
    }
}

#[test]
fn an_older_visit_changes_nothing_of_the_present() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let page = url("http://example.com/");
    let (a, b, c) = ("http://a.org/", "http://b.org/", "http://c.org/");
    let visit = |day: u64, status: u16, targets: &[&str]| VisitRecord {
        url: page.clone(),
        visited: day * 86_400,
        visit: web::answered(status, targets.iter().map(|target| web::link(target)).collect()),
    };
    store.put(&[visit(200, 200, &[a, b]), visit(210, 200, &[a]), visit(220, 503, &[])]).unwrap();
    let before = store.page(&page).unwrap().unwrap();
    store.import(&[visit(150, 200, &[b, c]), visit(100, 200, &[c])], policy()).unwrap();
    let after = store.page(&page).unwrap().unwrap();
    assert_eq!(after, StoredPage { first_day: backlinkd::model::Day(100), ..before });
    let days = |target: &str| {
        let links = store.snapshot().outlinks(&page).unwrap();
        let link = links.into_iter().find(|link| link.target.as_str() == target).unwrap();
        let absences: Vec<_> =
            link.absences.iter().map(|one| (one.lost.0, one.back.map(|day| day.0))).collect();
        (link.first_day.0, absences)
    };
    assert_eq!(days(a), (200, vec![]));
    assert_eq!(days(b), (150, vec![(210, None)]));
    assert_eq!(days(c), (100, vec![(200, None)]));
    assert_sound(&store);
}
