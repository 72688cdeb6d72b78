//! Rows of the queue, of the schedule, of unmerged URLs and of robots.txt can be decoded, and have the only valid
//! encoding. A URL with a readable key is kept even if its value is damaged.

use crate::model::{CLOCK_ERROR, Priority, QueueEntry, SitemapGrant, StoredPage, Target};
use crate::store::codec::queue_entry::{decode_entry, encode_entry, entry_key, split_entry_key};
use crate::store::codec::schedule_entry::{ScheduleEntry, schedule_key, split_schedule_key};
use crate::store::codec::varint::Reader;
use crate::store::db::schema::{FRONTIER, MET, PAGES, ROBOTS, SCHEDULE, VISITS};
use crate::store::queue::resting_pages::is_marked_at_rest;
use crate::store::read::pages::page_from;
use crate::store::verify::VerifyContext;
use crate::store::verify::links::is_canonical;
use crate::store::verify::pages::canonical_url;
use crate::store::{StoreError, codec};
use crate::urls::{CanonicalUrl, Surt};

use super::ConsistencyCheck;

pub(super) struct QueueCheck;

impl ConsistencyCheck for QueueCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.for_each_row(FRONTIER, "reading the queue", &mut check_entry)?;
        context.for_each_row(SCHEDULE, "reading the schedule", &mut check_scheduled)?;
        context.for_each_row(MET, "reading pending URLs", &mut check_unmerged)?;
        context.for_each_row(ROBOTS, "reading robots.txt files", &mut |context, key, value| {
            if is_origin(key) && (context.options.is_robots)(value) {
                return Ok(());
            }
            context.remove_unreadable(ROBOTS, key, "the robots.txt")
        })
    }
}

/// An entry of the queue, if it can be decoded and its key is right.
pub(super) fn valid_entry(key: &[u8], value: &[u8]) -> Option<QueueEntry> {
    let entry = decode_entry(key, value).ok()?;
    let is_canonical = canonical_url(Surt::from(&entry.url).as_bytes()).is_some();
    (is_canonical && key == entry_key(&entry.url, entry.priority)).then_some(entry)
}

fn check_entry(context: &mut VerifyContext<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    if valid_entry(key, value).is_some() {
        return Ok(());
    }
    let split = split_entry_key(key)
        .ok()
        .and_then(|(_, priority, surt)| Some((canonical_url(surt)?, priority, surt)));
    let Some((url, priority, surt)) = split else {
        return context.remove_unreadable(FRONTIER, key, "the URL");
    };
    context.report.add(FRONTIER, "rows that cannot be read", key);
    let right = entry_key(&url, priority);
    let is_stored = right != key && context.snapshot.get(FRONTIER, &right)?.is_some();
    if !is_stored {
        let depth = readable_page(context, surt)?.map_or(0, |page| page.depth);
        let sitemap = || Target::Sitemap(Box::new(SitemapGrant::at_level(0)));
        let target = if priority == Priority::Sitemap { sitemap() } else { Target::Page };
        let entry = QueueEntry { url, priority, depth, attempts: 0, target };
        context.repair.put(FRONTIER, &right, &encode_entry(&entry))?;
    }
    if right == key { Ok(()) } else { context.repair.delete(FRONTIER, key) }
}

/// The page of a key, if there is one. An unreadable page was reported before, and counts as none.
pub(super) fn readable_page(
    context: &VerifyContext<'_>,
    surt: &[u8],
) -> Result<Option<StoredPage>, StoreError> {
    Ok(page_from(surt, context.snapshot.get(PAGES, surt)?).ok().flatten())
}

/// Whether the page of a key was imported, and the crawl does not know it as far as its history says.
pub(super) fn is_at_rest(context: &VerifyContext<'_>, surt: &[u8]) -> Result<bool, StoreError> {
    Ok(context.snapshot.get(VISITS, surt)?.is_some_and(|value| is_marked_at_rest(&value)))
}

fn check_scheduled(context: &mut VerifyContext<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let Ok((time, surt)) = split_schedule_key(key) else {
        return context.remove_unreadable(SCHEDULE, key, "the time");
    };
    if canonical_url(surt).is_none() {
        return context.remove_unreadable(SCHEDULE, key, "the URL");
    }
    if let Ok(scheduled) = ScheduleEntry::decode(value) {
        let latest =
            context.options.now.saturating_add(context.options.longest_wait).saturating_add(CLOCK_ERROR);
        // The times of entries with a page are checked against the page.
        if !scheduled.pageless || time <= latest {
            return Ok(());
        }
        context.report.add(SCHEDULE, "visits that are too far off", key);
        context.repair.put(SCHEDULE, &schedule_key(context.options.now, surt), value)?;
        return context.repair.delete(SCHEDULE, key);
    }
    context.report.add(SCHEDULE, "rows that cannot be read", key);
    let scheduled = match readable_page(context, surt)? {
        Some(page) if page.next_visit == time => ScheduleEntry { depth: page.depth, pageless: false },
        // Its next visit is at another time.
        Some(_) => return context.repair.delete(SCHEDULE, key),
        None => ScheduleEntry { depth: 0, pageless: true },
    };
    context.repair.put(SCHEDULE, key, &scheduled.encode())
}

/// Whether this is scheme, host and port, as a URL begins.
fn is_origin(key: &[u8]) -> bool {
    let url = std::str::from_utf8(key).ok().and_then(|text| CanonicalUrl::from_stored(format!("{text}/")));
    url.is_some_and(|url| is_canonical(&url) && url.path_and_query() == "/")
}

fn check_unmerged(context: &mut VerifyContext<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let readable = readable_unmerged(value);
    let is_key = key.len() == size_of::<u64>();
    if is_key && readable == value {
        return Ok(());
    }
    if !is_key || readable.is_empty() {
        return context.remove_unreadable(MET, key, "a URL");
    }
    context.report.add(MET, "rows that cannot be read", key);
    context.repair.truncate_damaged(MET, key, readable, "a URL")
}

/// The URLs of a row up to the first unreadable one.
fn readable_unmerged(value: &[u8]) -> &[u8] {
    let mut reader = Reader(value);
    loop {
        let readable = &value[..value.len() - reader.0.len()];
        match codec::decode_unmerged(&mut reader) {
            Ok(Some(unmerged)) if canonical_url(unmerged.surt).is_some() => {}
            _ => return readable,
        }
    }
}
