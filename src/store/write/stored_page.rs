//! The record of a page after a visit, given the record before it. Pure.

use crate::model::{Day, FailureKind, OutlinkRecord, PageContent, PageFacts, StoredPage};
use crate::urls::CanonicalUrl;

use super::days::DaySpan;
use super::diff::{HistoryLimits, MergedLinks, merge_links};

/// The day of the first visit to a page, at most the day of this visit.
pub(in crate::store) fn first_day_of(old: Option<&StoredPage>, today: Day) -> Day {
    old.map_or(today, |page| page.first_day.min(today))
}

/// Whether a conclusive response describes the page.
fn is_settled(page: &StoredPage) -> bool {
    page.fetched_day != Day::default()
}

/// The page after a visit without a usable response.
pub(in crate::store) fn page_after_failure(
    old: Option<&StoredPage>,
    today: Day,
    kind: FailureKind,
    cause: String,
) -> StoredPage {
    let first = || StoredPage { first_day: today, ..StoredPage::default() };
    let mut page = old.cloned().unwrap_or_else(first);
    page.failures = page.failures.saturating_add(1);
    (page.last_failure, page.cause) = (kind.code(), cause);
    page
}

/// The page after a response that says nothing about its links: it has the status of the response, and keeps
/// everything else.
pub(in crate::store) fn page_after_inconclusive(
    old: Option<&StoredPage>,
    today: Day,
    content: PageContent,
) -> StoredPage {
    let failures = old.map_or(0, |page| page.failures).saturating_add(1);
    let (challenge, cause) = (content.challenge, content.cause.clone());
    let mut page = match old {
        Some(known) if is_settled(known) => {
            let mut page = known.clone();
            page.facts.status = content.facts.status;
            page
        }
        _ => {
            let mut page = stored_page_of(content, &[], first_day_of(old, today), today);
            page.fetched_day = Day::default();
            // An error page is not the page, even if it is HTML.
            page.facts.html = false;
            page
        }
    };
    page.failures = failures;
    page.last_failure = if challenge { FailureKind::Challenge.code() } else { 0 };
    page.cause = cause;
    page
}

/// The page after a 304, which confirms the last conclusive response. Without one, it means nothing: `None`.
pub(in crate::store) fn page_after_not_modified(old: Option<&StoredPage>, today: Day) -> Option<StoredPage> {
    let old = old.filter(|page| is_settled(page))?;
    let cause = String::new();
    Some(StoredPage { fetched_day: today, failures: 0, last_failure: 0, cause, ..old.clone() })
}

/// Whether the links behind the end of a body are unknown. Only a 2xx response has links that a cut can remove: a
/// redirect or a gone page does not list links in its body.
pub(in crate::store) fn hides_links(facts: &PageFacts) -> bool {
    facts.cut.is_some() && (200..=299).contains(&facts.status)
}

/// The page after a conclusive response, and its links. `cut`: the links behind the end of the body are unknown.
pub(in crate::store) fn page_after_response(
    url: &CanonicalUrl,
    old: (Option<&StoredPage>, Vec<OutlinkRecord>),
    mut content: PageContent,
    (today, cut): (Day, bool),
    limits: HistoryLimits,
) -> (StoredPage, MergedLinks) {
    let (old, old_links) = old;
    let mut found = std::mem::take(&mut content.links);
    if is_gone(content.facts.status) {
        // The links of an error page are not the links of the page.
        found.clear();
    }
    let first_day = first_day_of(old, today);
    let merged = merge_links(url, old_links, found, DaySpan { first: first_day, last: today }, cut, limits);
    let mut page = stored_page_of(content, &merged.links, first_day, today);
    if let (true, Some(old)) = (cut, old.filter(|old| is_settled(old))) {
        keep_beyond_cut(&mut page.facts, &old.facts);
    }
    (page, merged)
}

/// Fields that a truncated body lacks keep their former values.
fn keep_beyond_cut(page: &mut PageFacts, old: &PageFacts) {
    if page.title.is_empty() {
        page.title.clone_from(&old.title);
    }
    if page.description.is_empty() {
        page.description.clone_from(&old.description);
    }
    if page.canonical.is_none() {
        page.canonical.clone_from(&old.canonical);
    }
}

/// Whether a visit changed anything that the index shows, links excepted.
pub(in crate::store) fn differs_visibly(old: &PageFacts, new: &PageFacts) -> bool {
    old.status != new.status
        || old.title != new.title
        || old.canonical != new.canonical
        || old.directives != new.directives
}

pub(in crate::store) fn is_gone(status: u16) -> bool {
    matches!(status, 404 | 410)
}

/// The record of a page from a response. The visit and its plan are not set.
pub(in crate::store) fn stored_page_of(
    content: PageContent,
    links: &[OutlinkRecord],
    first_day: Day,
    today: Day,
) -> StoredPage {
    let active = links.iter().filter(|link| link.is_active());
    let external = active.clone().filter(|link| link.external).count();
    StoredPage {
        facts: content.facts,
        cause: content.cause,
        first_day,
        fetched_day: today,
        int_links: u32::try_from(active.count() - external).unwrap_or(u32::MAX),
        ext_links: u32::try_from(external).unwrap_or(u32::MAX),
        ..StoredPage::default()
    }
}
