//! Pages with their links, as far as they can be read: what everything else is held against.
//!
//! `pages` and `outlinks` have the same keys, so both are walked side by side. The first walk reports what is wrong
//! with them, and mends it; every walk gives the same [`SoundPage`]s, as they are after mending.

use rocksdb::{DB, DBRawIteratorWithThreadMode};

use super::super::days::{DaySpan, bring_page, day_of_visit};
use super::super::queue::{encode_entry, entry_key};
use super::super::schema::{FRONTIER, OUTLINKS, PAGES};
use super::super::{StoreError, values};
use super::{VerifyOptions, Work, links};
use crate::frontier::{Found, Priority, QueuedUrl, Target, due_visit};
use crate::model::{CLOCK_ERROR, OutlinkRecord, StoredPage};
use crate::urls::{CanonicalUrl, Surt};

/// A page that can be read, with those of its links that can.
pub(super) struct SoundPage {
    pub url: CanonicalUrl,
    pub key: Vec<u8>,
    pub page: StoredPage,
    /// When its row says that it is visited next. A clock that was ahead planned that if `page` says something else.
    pub stored_next: u64,
    pub links: Vec<OutlinkRecord>,
}

/// What can be read, but would be written with other bytes.
const ODDLY_WRITTEN: &str = "rows that are not written as they should be";

type Cursor<'a> = DBRawIteratorWithThreadMode<'a, DB>;
type Visit<'v> = &'v mut dyn FnMut(&SoundPage, &mut Work<'_>) -> Result<(), StoreError>;

/// Walks over all pages; reports what is wrong with them and with their links.
pub(super) fn first_walk(work: &mut Work<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
    work.begin("reading pages and their links");
    walk(work, true, visit)
}

/// Walks over all pages once more.
pub(super) fn walk_again(
    work: &mut Work<'_>,
    step: &'static str,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    work.begin(step);
    walk(work, false, visit)
}

fn walk(work: &mut Work<'_>, first: bool, visit: Visit<'_>) -> Result<(), StoreError> {
    let mut pages = work.cursor(PAGES)?;
    let mut outlinks = work.cursor(OUTLINKS)?;
    while let Some((key, value)) = pages.item() {
        pass_orphans(work, &mut outlinks, Some(key), first)?;
        let list = outlinks.item().filter(|(of, _)| *of == key).map(|(_, list)| list);
        if let Some(page) = sound_page(work, key, value, list, first)? {
            visit(&page, work)?;
        }
        if list.is_some() {
            outlinks.next();
        }
        work.passed();
        pages.next();
    }
    pages.status()?;
    pass_orphans(work, &mut outlinks, None, first)
}

/// Passes over lists of links before the key that have no page.
fn pass_orphans(
    work: &mut Work<'_>,
    outlinks: &mut Cursor<'_>,
    before: Option<&[u8]>,
    first: bool,
) -> Result<(), StoreError> {
    while let Some(key) = outlinks.key().filter(|key| before.is_none_or(|before| *key < before)) {
        if first {
            orphan(work, key)?;
        }
        outlinks.next();
    }
    Ok(outlinks.status()?)
}

fn orphan(work: &mut Work<'_>, key: &[u8]) -> Result<(), StoreError> {
    work.report.add(OUTLINKS, "lists of links without a page", key);
    work.page_changes(key)?;
    work.mender.give_up(OUTLINKS, key, "there is no page to it")?;
    lost(work, key)
}

/// The page under a key is lost: its URL, if the key tells it, is met anew. Where it stands in the queue or the schedule
/// still, the merge of what was met finds it known.
fn lost(work: &mut Work<'_>, key: &[u8]) -> Result<(), StoreError> {
    let Some(url) = url_of(key) else { return Ok(()) };
    let mut row = Vec::new();
    values::put_met(&mut row, &Found::page(url, 0), key, false);
    let number = work.next_met;
    work.next_met += 1;
    work.mender.meet_anew(number, &row)
}

/// The page of a row, if it can be read. In the first walk what is wrong is reported and mended.
fn sound_page(
    work: &mut Work<'_>,
    key: &[u8],
    value: &[u8],
    list: Option<&[u8]>,
    first: bool,
) -> Result<Option<SoundPage>, StoreError> {
    let (url, stored) = match read_page(key, value) {
        Ok(read) => read,
        Err(what) => {
            if first {
                work.page_changes(key)?;
                work.unreadable(PAGES, key, what)?;
                match list {
                    Some(_) => orphan(work, key)?,
                    None => lost(work, key)?,
                }
            }
            return Ok(None);
        }
    };
    let (mut page, span) = in_time(&stored, &work.options);
    let links = match list {
        Some(list) => sound_links(work, &url, key, (list, span), first)?,
        None => Vec::new(),
    };
    (page.int_links, page.ext_links) = links::counts(&links);
    let is_cut = fewer_links(&page, &stored);
    if is_cut {
        // By these a server would answer that the page is the same as before, and its links would not come again.
        page.etag.clear();
        page.last_modified.clear();
    }
    if first {
        if is_cut {
            // Before the page's new number of links, by which nobody could tell that some are missing.
            visit_at_once(work, &url, &page)?;
        }
        let written = values::encode_page(&page);
        if written != value {
            work.report.add(PAGES, what_is_wrong(&stored, &page), key);
            work.page_changes(key)?;
            work.mender.put(PAGES, key, &written)?;
        }
    }
    Ok(Some(SoundPage { url, key: key.to_vec(), page, stored_next: stored.next_visit, links }))
}

fn what_is_wrong(stored: &StoredPage, page: &StoredPage) -> &'static str {
    let days = |page: &StoredPage| (page.ins_day, page.upd_day);
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

/// The page with times that a clock may have given, and the span of days of its links.
fn in_time(stored: &StoredPage, options: &VerifyOptions) -> (StoredPage, DaySpan) {
    let mut page = stored.clone();
    page.next_visit = due_visit(stored.next_visit, stored.visited, options.longest_wait, options.now);
    if stored.visited > options.now.saturating_add(CLOCK_ERROR) {
        page.visited = options.now;
        if page.next_visit != 0 {
            // Nobody can tell how long ago it was visited: it is due at once.
            page.next_visit = options.now.max(1);
        }
    }
    let last_visit = day_of_visit(page.visited);
    let span = bring_page(&mut page, last_visit);
    (page, span)
}

/// Whether a page has fewer links left than it had.
fn fewer_links(left: &StoredPage, had: &StoredPage) -> bool {
    let links = |page: &StoredPage| u64::from(page.int_links) + u64::from(page.ext_links);
    links(left) < links(had)
}

/// Has the next crawl visit a page, however lately it was visited: as one whose last visit failed. Its place in the
/// schedule or the queue stays, as when it is wanted again.
fn visit_at_once(work: &mut Work<'_>, url: &CanonicalUrl, page: &StoredPage) -> Result<(), StoreError> {
    let priority = Priority::again(page.visited);
    let entry =
        QueuedUrl { url: url.clone(), priority, depth: page.depth, attempts: 1, target: Target::Page };
    work.mender.put(FRONTIER, &entry_key(url, priority), &encode_entry(&entry))
}

fn read_page(key: &[u8], value: &[u8]) -> Result<(CanonicalUrl, StoredPage), &'static str> {
    let url = url_of(key).ok_or("the URL")?;
    let page = values::decode_page(value).map_err(|damage| damage.0)?;
    Ok((url, page))
}

/// The links of a row that can be read and do not contradict each other; likewise.
fn sound_links(
    work: &mut Work<'_>,
    url: &CanonicalUrl,
    key: &[u8],
    (list, span): (&[u8], DaySpan),
    first: bool,
) -> Result<Vec<OutlinkRecord>, StoreError> {
    let stored = match values::decode_outlinks(url, list) {
        Ok(stored) => stored,
        Err(damage) => {
            if first {
                work.page_changes(key)?;
                work.unreadable(OUTLINKS, key, damage.0)?;
            }
            return Ok(Vec::new());
        }
    };
    let (links, contradiction) = links::sound(url, span, stored);
    if first {
        let written = values::encode_outlinks(url, &links);
        if let Some(what) = contradiction.or((written != list).then_some(ODDLY_WRITTEN)) {
            work.report.add(OUTLINKS, what, key);
            work.page_changes(key)?;
            work.mender.put(OUTLINKS, key, &written)?;
        }
        if links.is_empty() {
            work.report.add(OUTLINKS, "lists without a link", key);
            work.mender.delete(OUTLINKS, key)?;
        }
    }
    Ok(links)
}

/// The URL of a page's key, if it is one in canonical form.
pub(super) fn url_of(key: &[u8]) -> Option<CanonicalUrl> {
    let url = Surt::bytes_to_url(key).ok()?;
    (links::is_canonical(&url) && Surt::from(&url).as_bytes() == key).then_some(url)
}
