//! A generated web in which pages also fail, redirect in every way, refresh, and are not modified.

use std::collections::BTreeMap;

use backlinkd::model::{FailureKind, Link, LinkTag, PageContent, PageFacts, Visit, VisitRecord};

use super::super::oracle::intelligence::States;
use super::super::web::{Dice, link, random_without_repeats};

/// Like `random_without_repeats`, with more outcomes of a visit.
pub fn varied(seed: u64, visits: usize) -> Vec<VisitRecord> {
    let mut dice = Dice(seed ^ 0xa5a5);
    let mut records = random_without_repeats(seed, visits);
    let urls: Vec<String> = records.iter().map(|record| record.url.as_str().to_owned()).collect();
    for record in &mut records {
        let target = urls[dice.roll(urls.len())].clone();
        let Visit::Responded(content) = &mut record.visit else { unreachable!() };
        match dice.roll(14) {
            0 | 1 => record.visit = Visit::Failed(dice.pick(&FailureKind::ALL), String::new()),
            2 => record.visit = Visit::NotModified,
            3 => {
                let status = dice.pick(&[400, 403, 404, 410, 429, 500, 503]);
                **content = PageContent {
                    facts: PageFacts { status, ip: content.facts.ip, ..PageFacts::default() },
                    ..PageContent::default()
                };
            }
            4..=7 => {
                let status = dice.pick(&[301, 302, 303, 307, 308]);
                let tag = LinkTag::from_redirect_status(status).unwrap();
                let moved = Link { tag, ..link(&target, "") };
                **content = PageContent {
                    facts: PageFacts { status, ..PageFacts::default() },
                    links: vec![moved],
                    ..PageContent::default()
                };
            }
            8 if content.facts.status == 200 => {
                let named = |link: &Link| link.target.as_str() == target;
                if target != record.url.as_str() && !content.links.iter().any(named) {
                    let at = dice.roll(content.links.len() + 1);
                    content.links.insert(at, Link { tag: LinkTag::Refresh, ..link(&target, "") });
                }
            }
            _ => {}
        }
    }
    records
}

/// The state of the pages after these visits, in chronological order.
pub fn states(records: &[VisitRecord]) -> States {
    let mut states = States::new();
    for record in records {
        let known = states.get(record.url.as_str()).copied();
        let state = match &record.visit {
            Visit::Responded(content) => (u64::from(content.facts.status), ""),
            Visit::Failed(kind, _) => (known.map_or(0, |(status, _)| status), kind.as_str()),
            // The visit has no information about a page that never responded with one.
            Visit::NotModified => match known {
                Some((status, _)) if status != 0 => (status, ""),
                _ => continue,
            },
        };
        states.insert(record.url.as_str().to_owned(), state);
    }
    states
}

/// The day of loss of every lost link, by page and target.
pub fn lost_days(records: &[VisitRecord]) -> BTreeMap<(String, String), String> {
    let mut there: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut lost = BTreeMap::new();
    for record in records {
        let Visit::Responded(content) = &record.visit else { continue };
        if !content.determines_links() {
            continue;
        }
        let today = backlinkd::model::Day::from_unix_seconds(record.visited).to_string();
        let page = record.url.as_str().to_owned();
        let gone = matches!(content.facts.status, 404 | 410);
        let now: Vec<String> = if gone {
            Vec::new()
        } else {
            content.links.iter().map(|link| link.target.as_str().to_owned()).collect()
        };
        for target in &now {
            lost.remove(&(page.clone(), target.clone()));
        }
        for target in there.insert(page.clone(), now.clone()).unwrap_or_default() {
            if !now.contains(&target) {
                lost.insert((page.clone(), target), today.clone());
            }
        }
    }
    lost
}

/// Why the links that each page had are not there, after these visits, as far as the index can know it.
pub fn reasons(records: &[VisitRecord]) -> BTreeMap<String, &'static str> {
    // What the last settled visit found, and whether a later one hides it.
    let mut pages: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    for record in records {
        let page = record.url.as_str().to_owned();
        match &record.visit {
            Visit::Responded(content) if content.determines_links() => {
                let reason = match content.facts.status {
                    200 => "removed",
                    404 | 410 => "gone",
                    _ => "redirected",
                };
                pages.insert(page, (reason, false));
            }
            // Other answers overwrite the status.
            Visit::Responded(_) => {
                pages.entry(page).and_modify(|(_, is_hidden)| *is_hidden = true);
            }
            Visit::Failed(..) | Visit::NotModified => {}
        }
    }
    let challenged: BTreeMap<&str, bool> = records
        .iter()
        .map(|record| {
            let is_challenge = matches!(record.visit, Visit::Failed(FailureKind::Challenge, _));
            (record.url.as_str(), is_challenge)
        })
        .collect();
    let known = pages.into_iter().map(|(page, (reason, is_hidden))| {
        let is_known = reason == "removed" || !(is_hidden || challenged[page.as_str()]);
        (page, if is_known { reason } else { "" })
    });
    known.collect()
}
