//! The stored record of a page, built from a response.

use crate::model::{Day, OutlinkRecord, PageContent, PageFacts, StoredPage};

/// Fields that a truncated body lacks keep their former values.
pub(in crate::store) fn keep_beyond_cut(page: &mut PageFacts, old: &PageFacts) {
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
