//! Each history of an imported page can be read, its visits are in order, and its page is there. Page and links agree with
//! its visits, unless the crawler visited the page later.
//!
//! The repair loses no page: a history that is damaged or disagrees is marked as followed by visits of the crawler. So the
//! next import joins it with the days that the page and its links have.

use crate::model::{Day, OutlinkRecord, StoredPage};
use crate::store::codec::varint::Damage;
use crate::store::db::schema::{PAGES, VISITS};
use crate::store::queue::resting_pages::is_marked_at_rest;
use crate::store::read::pages::{outlinks_from, page_from};
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::canonical_url;
use crate::store::write::days::day_of_visit;
use crate::store::write::history::page_history::PageHistory;
use crate::store::write::history::past_visit::{PastVisit, is_not_modified, time_of};
use crate::store::{StoreError, db::schema::OUTLINKS};
use crate::urls::CanonicalUrl;

use super::ConsistencyCheck;

pub(super) struct VisitCheck;

const WITHOUT_PAGE: &str = "histories without a page";
const DISAGREES: &str = "histories that disagree with their page or its links";

impl ConsistencyCheck for VisitCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.for_each_row(VISITS, "reading the visits of imported pages", &mut check_history)
    }
}

fn check_history(context: &mut VerifyContext<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let Some(url) = canonical_url(key) else {
        return context.remove_unreadable(VISITS, key, "the URL");
    };
    // Unreadable pages were reported before.
    let page = page_from(key, context.snapshot.get(PAGES, key)?).ok().flatten();
    let read = PageHistory::decode(value).and_then(|history| readable(&url, history));
    let mut history = match (read, &page) {
        (Ok(history), _) => history,
        (Err(damage), None) => return context.remove_unreadable(VISITS, key, damage.0),
        (Err(_), Some(_)) => {
            context.report.add(VISITS, "rows that cannot be read", key);
            return context.repair.put(VISITS, key, &unknown_visits(is_marked_at_rest(value)).encode()?);
        }
    };
    let Some(page) = page else {
        if first_and_last(&history).is_none() && !history.is_only_visit() {
            return Ok(());
        }
        context.report.add(VISITS, WITHOUT_PAGE, key);
        return context.repair.remove_damaged(VISITS, key, "it has no page");
    };
    let links = outlinks_from(&url, key, context.snapshot.get(OUTLINKS, key)?).unwrap_or_default();
    if history.lacks_visits_of(Some(&page)) || agrees(&history, &page, &links) {
        return Ok(());
    }
    context.report.add(VISITS, DISAGREES, key);
    history = PageHistory { visits: history.visits.take(), ..unknown_visits(history.at_rest) };
    history.visits.get_or_insert_default();
    context.repair.put(VISITS, key, &history.encode()?)
}

/// A history whose visits are in the page and its links alone.
fn unknown_visits(at_rest: bool) -> PageHistory {
    PageHistory { at_rest, visited_live: true, visits: Some(Vec::new()) }
}

/// The history, if its visits can be read, are in order and have the only valid encoding.
fn readable(url: &CanonicalUrl, history: PageHistory) -> Result<PageHistory, Damage> {
    for visit in history.visits.iter().flatten() {
        let (time, read) = PastVisit::decode(url, visit)?;
        if read.encode(url, time) != *visit {
            return Err(Damage("a visit with another encoding than the valid one"));
        }
    }
    let in_order = history.visits.as_ref().is_none_or(|visits| visits.is_sorted_by(|a, b| a < b));
    if in_order { Ok(history) } else { Err(Damage("the order of the visits")) }
}

/// The times of the first and of the last visit that make a page.
fn first_and_last(history: &PageHistory) -> Option<(u64, u64)> {
    let visits = history.visits.as_ref()?;
    let first = visits.iter().find(|visit| !is_not_modified(visit))?;
    Some((time_of(first), time_of(visits.last()?)))
}

/// Whether page and links can be what the visits left: their first and last days agree.
fn agrees(history: &PageHistory, page: &StoredPage, links: &[OutlinkRecord]) -> bool {
    let last_day = day_of_visit(page.visited);
    if history.is_only_visit() {
        let is_new = |link: &OutlinkRecord| link.first_day == last_day && link.absences.is_empty();
        let is_fetched_then = [Day::default(), last_day].contains(&page.fetched_day);
        return page.first_day == last_day && is_fetched_then && links.iter().all(is_new);
    }
    let Some((first, last)) = first_and_last(history) else { return false };
    // A 304 before every page changes nothing, so the last visit may be later than that of the page.
    page.first_day == day_of_visit(first) && page.visited <= last
}
