//! The stored record of a page, built from a response.

use crate::model::{Day, OutlinkRecord, PageContent, StoredPage};

/// Fields that a truncated body lacks keep their former values.
pub(in crate::store) fn keep_beyond_cut(page: &mut StoredPage, old: &StoredPage) {
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
pub(in crate::store) fn differs_visibly(old: &StoredPage, new: &StoredPage) -> bool {
    old.status != new.status
        || old.title != new.title
        || old.canonical != new.canonical
        || old.directives != new.directives
}

pub(in crate::store) fn is_gone(status: u16) -> bool {
    matches!(status, 404 | 410)
}

pub(in crate::store) fn new_record(
    content: PageContent,
    links: &[OutlinkRecord],
    ins_day: Day,
    today: Day,
) -> StoredPage {
    let active = links.iter().filter(|link| link.is_active());
    let external = active.clone().filter(|link| link.external).count();
    StoredPage {
        status: content.status,
        content_type: content.content_type,
        charset: content.charset,
        title: content.title,
        description: content.description,
        ip: content.ip,
        place: content.place,
        directives: content.directives,
        canonical: content.canonical,
        html: content.html,
        cut: content.cut,
        tls: content.tls,
        cause: content.cause,
        digest: content.digest,
        etag: content.etag,
        last_modified: content.last_modified,
        ins_day,
        upd_day: today,
        visited: 0,
        failures: 0,
        last_failure: 0,
        depth: 0,
        next_visit: 0,
        interval: 0,
        int_links: u32::try_from(active.count() - external).unwrap_or(u32::MAX),
        ext_links: u32::try_from(external).unwrap_or(u32::MAX),
    }
}
