//! Visits that the intervals of a page's links show: those of the crawler, which keeps no visits. Pure.
//!
//! Each day on which a link appears, returns or is lost had a conclusive visit. The links that were there then are
//! known, with their present tags, anchor texts and order. A visit that changed nothing has left no trace, except for the
//! last one. The time of day is not known either, so it counts as the end of the day.

use std::collections::BTreeSet;

use crate::model::{Day, Link, LinkTag, OutlinkRecord, PageContent, StoredPage};

use super::past_visit::{DayPart, PastVisit, link_of};

const DAY_SECONDS: u64 = 86_400;
/// Maximum number of links over all days: more would be dropped for their bytes.
const MAX_SHOWN_LINKS: usize = 1 << 18;
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// Visits with their Unix times, in order, that leave the page and the links as they are stored. `after`: the time of
/// the last visit that is known otherwise; the visits come after it. `limit`: the greatest number of days.
pub(in crate::store) fn derived_visits(
    page: &StoredPage,
    links: &[OutlinkRecord],
    after: Option<u64>,
    limit: usize,
) -> Vec<(u64, PastVisit)> {
    let page = &StoredPage { depth: 0, next_visit: 0, interval: 0, ..page.clone() };
    let after_day = after.map(Day::from_unix_seconds);
    let earliest = after.unwrap_or(0);
    let last_second = |day: Day| (u64::from(day.0) + 1).saturating_mul(DAY_SECONDS) - 1;
    let time_on = |day: Day| last_second(day).min(page.visited).max(earliest);
    let mut visits = Vec::new();
    if after.is_none() {
        visits.push((time_on(page.first_day), PastVisit::Unsettled(Box::default())));
    }
    let is_settled = page.fetched_day != Day::default();
    if !is_settled || after_day.is_some_and(|after| page.fetched_day < after) {
        visits.push((page.visited.max(earliest), PastVisit::Unsettled(Box::new(page.clone()))));
        return visits;
    }
    for day in days_of_changes(links, limit.min(MAX_SHOWN_LINKS / links.len().max(1)).max(2)) {
        if after_day.is_none_or(|after| day >= after) {
            let shown = links_on(day, links, page.fetched_day);
            visits.extend(shown.into_iter().map(|visit| (time_on(day), visit)));
        }
    }
    let latest = latest_response(page, links);
    let active = links.iter().filter(|link| link.is_active()).map(link_of).collect();
    let settled_at = time_on(page.fetched_day);
    visits.push((settled_at, PastVisit::Latest(Box::new(latest), active)));
    if page.failures > 0 || settled_at < page.visited {
        visits.push((page.visited.max(earliest), PastVisit::Unsettled(Box::new(page.clone()))));
    }
    visits
}

/// The visits that the intervals show on a day. The end of the last day is that of the stored links.
fn links_on(day: Day, links: &[OutlinkRecord], last_day: Day) -> Vec<PastVisit> {
    let shown = |was_there: fn(&OutlinkRecord, Day) -> bool| -> Vec<(Link, u32)> {
        let there = links.iter().filter(|link| was_there(link, day));
        there.map(|link| (link_of(link), link.pos)).collect()
    };
    let mut visits = Vec::new();
    if links.iter().any(|link| appears_on(link, day) && !is_there_at_end(link, day)) {
        visits.push(PastVisit::Shown(shown(is_there_early), DayPart::Early));
    }
    if day != last_day {
        visits.push(PastVisit::Shown(shown(is_there_at_end), DayPart::End));
    }
    visits
}

/// The page as the last conclusive response left it.
fn latest_response(page: &StoredPage, links: &[OutlinkRecord]) -> StoredPage {
    let mut latest = page.clone();
    latest.facts.status = conclusive_status(page, links);
    if page.failures > 0 {
        latest.cause.clear();
    }
    latest
}

/// The days on which a link appears, returns or is lost: of more than `limit`, the first and the last ones.
fn days_of_changes(links: &[OutlinkRecord], limit: usize) -> Vec<Day> {
    let mut days = BTreeSet::new();
    for link in links {
        days.insert(link.first_day);
        for absence in &link.absences {
            days.insert(absence.lost);
            days.extend(absence.back);
        }
    }
    let mut days: Vec<Day> = days.into_iter().collect();
    if days.len() > limit {
        days.drain(limit / 2..days.len() - (limit - limit / 2));
    }
    days
}

fn appears_on(link: &OutlinkRecord, day: Day) -> bool {
    link.first_day == day || link.absences.iter().any(|absence| absence.back == Some(day))
}

/// Whether a link was there at the end of a day.
fn is_there_at_end(link: &OutlinkRecord, day: Day) -> bool {
    let is_absent = |lost: Day, back: Option<Day>| lost <= day && back.is_none_or(|back| back > day);
    link.first_day <= day && !link.absences.iter().any(|absence| is_absent(absence.lost, absence.back))
}

/// Whether a link was there before the day, or appears on it.
fn is_there_early(link: &OutlinkRecord, day: Day) -> bool {
    appears_on(link, day) || day.0.checked_sub(1).is_some_and(|before| is_there_at_end(link, Day(before)))
}

/// The status of the last conclusive response. A later answer has replaced it if that was none.
fn conclusive_status(page: &StoredPage, links: &[OutlinkRecord]) -> u16 {
    if PageContent::status_determines_links(page.facts.status) {
        return page.facts.status;
    }
    let has = |tag: Option<LinkTag>| links.iter().any(|link| link.is_active() && Some(link.tag) == tag);
    REDIRECTS.into_iter().find(|status| has(LinkTag::from_redirect_status(*status))).unwrap_or(200)
}
