//! Pages with their readable links: the source data for all other checks.
//!
//! `pages` and `outlinks` have the same keys, so both are scanned side by side. The first scan reports and repairs
//! damage in them. Every scan yields the same [`RepairedPage`]s, in their state after the repair.

use crate::model::{CLOCK_ERROR, DiscoveredUrl, OutlinkRecord, Priority, QueueEntry, StoredPage, Target};
use crate::policy::VisitTimes;
use crate::store::codec::queue_entry::{encode_entry, entry_key};
use crate::store::db::rows::RowCursor;
use crate::store::db::schema::{FRONTIER, OUTLINKS, PAGES, VISITS};
use crate::store::queue::resting_pages::RestingPages;
use crate::store::write::days::{DaySpan, clamp_page, day_of_visit};
use crate::store::{StoreError, VerifyOptions, codec};
use crate::urls::{CanonicalUrl, Surt};

use super::{VerifyContext, links};

/// A readable page with its readable links, after the repair.
pub(super) struct RepairedPage {
    pub url: CanonicalUrl,
    pub key: Vec<u8>,
    pub page: StoredPage,
    /// The next visit according to the stored row. If `page` has another time, a clock that was ahead planned the
    /// stored one.
    pub stored_next: u64,
    pub links: Vec<OutlinkRecord>,
    /// Whether the page was imported, and the crawl does not know it.
    pub at_rest: bool,
}

/// A readable row with another encoding than the valid one.
const ODDLY_WRITTEN: &str = "rows with another encoding than the valid one";

type CheckedVisit<'v> = &'v mut dyn FnMut(&RepairedPage, &mut VerifyContext<'_>) -> Result<(), StoreError>;

/// Scans all pages for the first time. Reports and repairs damage in pages and links.
pub(super) fn scan_first(context: &mut VerifyContext<'_>, visit: CheckedVisit<'_>) -> Result<(), StoreError> {
    context.begin_step("reading pages and their links");
    scan(context, true, visit)
}

/// Scans all pages once more.
pub(super) fn scan_again(
    context: &mut VerifyContext<'_>,
    step: &'static str,
    visit: CheckedVisit<'_>,
) -> Result<(), StoreError> {
    context.begin_step(step);
    scan(context, false, visit)
}

fn scan(context: &mut VerifyContext<'_>, first: bool, visit: CheckedVisit<'_>) -> Result<(), StoreError> {
    let mut pages = context.cursor(PAGES)?;
    let mut outlinks = context.cursor(OUTLINKS)?;
    let mut resting = RestingPages::new(context.cursor(VISITS)?);
    while let Some((key, value)) = pages.item() {
        skip_orphans(context, &mut outlinks, Some(key), first)?;
        let list = outlinks.item().filter(|(of, _)| *of == key).map(|(_, list)| list);
        if let Some(mut page) = repair_page(context, key, value, list, first)? {
            page.at_rest = resting.contain(key)? && page.page.next_visit == 0;
            visit(&page, context)?;
        }
        if list.is_some() {
            outlinks.next();
        }
        context.count_row();
        pages.next();
    }
    pages.status()?;
    skip_orphans(context, &mut outlinks, None, first)
}

/// Skips lists of links without a page, up to the key `before`.
fn skip_orphans(
    context: &mut VerifyContext<'_>,
    outlinks: &mut RowCursor<'_>,
    before: Option<&[u8]>,
    first: bool,
) -> Result<(), StoreError> {
    while let Some(key) = outlinks.key().filter(|key| before.is_none_or(|before| *key < before)) {
        if first {
            remove_orphan(context, key)?;
        }
        outlinks.next();
    }
    Ok(outlinks.status()?)
}

fn remove_orphan(context: &mut VerifyContext<'_>, key: &[u8]) -> Result<(), StoreError> {
    context.report.add(OUTLINKS, "lists of links without a page", key);
    context.mark_page_domain(key)?;
    context.repair.remove_damaged(OUTLINKS, key, "it has no page")?;
    rediscover(context, key)
}

/// Makes the URL of a lost page unmerged, if the key is readable. If the URL is still queued or scheduled, the merge
/// finds it in the seen set.
fn rediscover(context: &mut VerifyContext<'_>, key: &[u8]) -> Result<(), StoreError> {
    let Some(url) = canonical_url(key) else { return Ok(()) };
    let mut row = Vec::new();
    codec::put_unmerged(&mut row, &DiscoveredUrl::page(url, 0), key, false);
    let number = context.next_unmerged_row;
    context.next_unmerged_row += 1;
    context.repair.put_unmerged(number, &row)
}

/// The page of a row, if it is readable. In the first scan, damage is reported and repaired.
fn repair_page(
    context: &mut VerifyContext<'_>,
    key: &[u8],
    value: &[u8],
    list: Option<&[u8]>,
    first: bool,
) -> Result<Option<RepairedPage>, StoreError> {
    let (url, stored) = match read_page(key, value) {
        Ok(read) => read,
        Err(what) => {
            if first {
                remove_unreadable_page(context, key, what, list.is_some())?;
            }
            return Ok(None);
        }
    };
    let (mut page, span) = clamp_times(&stored, &context.options);
    let links = match list {
        Some(list) => repair_page_links(context, &url, key, (list, span), first)?,
        None => Vec::new(),
    };
    (page.int_links, page.ext_links) = links::counts(&links);
    let is_cut = has_fewer_links(&page, &stored);
    if is_cut {
        // With these validators, a server could answer 304, and the lost links would not come back.
        page.facts.etag.clear();
        page.facts.last_modified.clear();
    }
    if first && is_cut {
        // This entry comes before the new number of links in the page, which no longer shows that links are missing.
        visit_at_once(context, &url, &page)?;
    }
    if first {
        write_repaired(context, key, value, &stored, &page)?;
    }
    let (key, stored_next) = (key.to_vec(), stored.next_visit);
    Ok(Some(RepairedPage { url, key, page, stored_next, links, at_rest: false }))
}

/// Writes a page whose repair changed it, and reports what was wrong.
fn write_repaired(
    context: &mut VerifyContext<'_>,
    key: &[u8],
    value: &[u8],
    stored: &StoredPage,
    page: &StoredPage,
) -> Result<(), StoreError> {
    let written = codec::encode_page(page);
    if written != value {
        context.report.add(PAGES, what_is_wrong(stored, page), key);
        context.mark_page_domain(key)?;
        context.repair.put(PAGES, key, &written)?;
    }
    Ok(())
}

/// Removes the row of a page that cannot be read, and its list of links if it has one.
fn remove_unreadable_page(
    context: &mut VerifyContext<'_>,
    key: &[u8],
    what: &'static str,
    has_list: bool,
) -> Result<(), StoreError> {
    context.mark_page_domain(key)?;
    context.remove_unreadable(PAGES, key, what)?;
    if has_list { remove_orphan(context, key) } else { rediscover(context, key) }
}

fn what_is_wrong(stored: &StoredPage, page: &StoredPage) -> &'static str {
    let days = |page: &StoredPage| (page.first_day, page.fetched_day);
    if page == stored {
        ODDLY_WRITTEN
    } else if (page.int_links, page.ext_links) != (stored.int_links, stored.ext_links) {
        "pages whose number of links is wrong"
    } else if page.visited == stored.visited && days(page) != days(stored) {
        "pages with days after their last visit, or out of order"
    } else {
        "pages with times that are still to come, or visits that are too far off"
    }
}

/// The page with times that are possible now, and the span of days of its links.
fn clamp_times(stored: &StoredPage, options: &VerifyOptions) -> (StoredPage, DaySpan) {
    let mut page = stored.clone();
    let times = VisitTimes { next: stored.next_visit, last: stored.visited };
    page.next_visit = times.clamped_next(options.longest_wait, options.now);
    if stored.visited > options.now.saturating_add(CLOCK_ERROR) {
        page.visited = options.now;
        if page.next_visit != 0 {
            // The time of the visit is unknown, so the page is due at once.
            page.next_visit = options.now.max(1);
        }
    }
    let last_visit = day_of_visit(page.visited);
    let span = clamp_page(&mut page, last_visit);
    (page, span)
}

/// Whether a page has fewer links left than it had.
fn has_fewer_links(left: &StoredPage, had: &StoredPage) -> bool {
    let links = |page: &StoredPage| u64::from(page.int_links) + u64::from(page.ext_links);
    links(left) < links(had)
}

/// Queues a page for the next crawl, however recent its last visit is: as a page whose last visit failed. Its place in
/// the schedule or the queue stays, as for any requested visit.
fn visit_at_once(
    context: &mut VerifyContext<'_>,
    url: &CanonicalUrl,
    page: &StoredPage,
) -> Result<(), StoreError> {
    let priority = Priority::revisit(page.visited);
    let entry =
        QueueEntry { url: url.clone(), priority, depth: page.depth, attempts: 1, target: Target::Page };
    context.repair.put(FRONTIER, &entry_key(url, priority), &encode_entry(&entry))
}

fn read_page(key: &[u8], value: &[u8]) -> Result<(CanonicalUrl, StoredPage), &'static str> {
    let url = canonical_url(key).ok_or("the URL")?;
    let page = codec::decode_page(value).map_err(|damage| damage.0)?;
    Ok((url, page))
}

/// The readable links of a row, without violations. In the first scan, damage is reported and repaired.
fn repair_page_links(
    context: &mut VerifyContext<'_>,
    url: &CanonicalUrl,
    key: &[u8],
    (list, span): (&[u8], DaySpan),
    first: bool,
) -> Result<Vec<OutlinkRecord>, StoreError> {
    let stored = match codec::decode_outlinks(url, list) {
        Ok(stored) => stored,
        Err(damage) => {
            if first {
                context.mark_page_domain(key)?;
                context.remove_unreadable(OUTLINKS, key, damage.0)?;
            }
            return Ok(Vec::new());
        }
    };
    let (links, contradiction) = links::repair_links(url, span, stored);
    if first {
        let written = codec::encode_outlinks(url, &links);
        if let Some(what) = contradiction.or((written != list).then_some(ODDLY_WRITTEN)) {
            context.report.add(OUTLINKS, what, key);
            context.mark_page_domain(key)?;
            context.repair.put(OUTLINKS, key, &written)?;
        }
        if links.is_empty() {
            context.report.add(OUTLINKS, "lists without a link", key);
            context.repair.delete(OUTLINKS, key)?;
        }
    }
    Ok(links)
}

/// The URL of a page's key, if it is canonical.
pub(super) fn canonical_url(key: &[u8]) -> Option<CanonicalUrl> {
    let url = Surt::bytes_to_url(key).ok()?;
    (links::is_canonical(&url) && Surt::from(&url).as_bytes() == key).then_some(url)
}
