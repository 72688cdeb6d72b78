//! The queue, the schedule, the URLs that were met and the robots.txt files kept can be read, and are written in the
//! one way there is. A URL whose key can be read is not given up for a value that cannot.

use super::super::codec::Reader;
use super::super::queue::{
    Scheduled, decode_entry, encode_entry, entry_key, schedule_key, split_entry, split_scheduled,
};
use super::super::schema::{FRONTIER, MET, PAGES, ROBOTS, SCHEDULE};
use super::super::{StoreError, page_from, values};
use super::links::is_canonical;
use super::pages::url_of;
use super::{Check, Work};
use crate::frontier::{Priority, QueuedUrl, SitemapGrant, Target};
use crate::model::{CLOCK_ERROR, StoredPage};
use crate::urls::{CanonicalUrl, Surt};

pub(super) struct Queue;

impl Check for Queue {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(FRONTIER, "reading the queue", &mut queued)?;
        work.each_row(SCHEDULE, "reading the schedule", &mut scheduled)?;
        work.each_row(MET, "reading URLs that were met", &mut met)?;
        work.each_row(ROBOTS, "reading robots.txt files", &mut |work, key, value| {
            if is_origin(key) && (work.options.is_robots)(value) {
                return Ok(());
            }
            work.unreadable(ROBOTS, key, "the robots.txt")
        })
    }
}

/// An entry of the queue, if it can be read and stands where it should.
pub(super) fn sound_entry(key: &[u8], value: &[u8]) -> Option<QueuedUrl> {
    let entry = decode_entry(key, value).ok()?;
    let is_canonical = url_of(Surt::from(&entry.url).as_bytes()).is_some();
    (is_canonical && key == entry_key(&entry.url, entry.priority)).then_some(entry)
}

fn queued(work: &mut Work<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    if sound_entry(key, value).is_some() {
        return Ok(());
    }
    let split = split_entry(key).ok().and_then(|(_, priority, surt)| Some((url_of(surt)?, priority, surt)));
    let Some((url, priority, surt)) = split else { return work.unreadable(FRONTIER, key, "the URL") };
    work.report.add(FRONTIER, "rows that cannot be read", key);
    let right = entry_key(&url, priority);
    let stands = right != key && work.snapshot.get(FRONTIER, &right)?.is_some();
    if !stands {
        let depth = readable_page(work, surt)?.map_or(0, |page| page.depth);
        let sitemap = || Target::Sitemap(Box::new(SitemapGrant::at_level(0)));
        let target = if priority == Priority::Sitemap { sitemap() } else { Target::Page };
        let entry = QueuedUrl { url, priority, depth, attempts: 0, target };
        work.mender.put(FRONTIER, &right, &encode_entry(&entry))?;
    }
    if right == key { Ok(()) } else { work.mender.delete(FRONTIER, key) }
}

/// The page under a key, if there is one. One that cannot be read has been told of, and is none.
pub(super) fn readable_page(work: &Work<'_>, surt: &[u8]) -> Result<Option<StoredPage>, StoreError> {
    Ok(page_from(surt, work.snapshot.get(PAGES, surt)?).ok().flatten())
}

fn scheduled(work: &mut Work<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let Ok((time, surt)) = split_scheduled(key) else { return work.unreadable(SCHEDULE, key, "the time") };
    if url_of(surt).is_none() {
        return work.unreadable(SCHEDULE, key, "the URL");
    }
    if let Ok(scheduled) = Scheduled::decode(value) {
        let latest = work.options.now.saturating_add(work.options.longest_wait).saturating_add(CLOCK_ERROR);
        // The time of others is their page's affair.
        if !scheduled.pageless || time <= latest {
            return Ok(());
        }
        work.report.add(SCHEDULE, "visits that are too far off", key);
        work.mender.put(SCHEDULE, &schedule_key(work.options.now, surt), value)?;
        return work.mender.delete(SCHEDULE, key);
    }
    work.report.add(SCHEDULE, "rows that cannot be read", key);
    let scheduled = match readable_page(work, surt)? {
        Some(page) if page.next_visit == time => Scheduled { depth: page.depth, pageless: false },
        // Its next visit stands elsewhere.
        Some(_) => return work.mender.delete(SCHEDULE, key),
        None => Scheduled { depth: 0, pageless: true },
    };
    work.mender.put(SCHEDULE, key, &scheduled.encode())
}

/// Whether this is scheme, host and port as a URL begins.
fn is_origin(key: &[u8]) -> bool {
    let url = std::str::from_utf8(key).ok().and_then(|text| CanonicalUrl::from_stored(format!("{text}/")));
    url.is_some_and(|url| is_canonical(&url) && url.path_and_query() == "/")
}

fn met(work: &mut Work<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let readable = readable_met(value);
    let is_key = key.len() == size_of::<u64>();
    if is_key && readable == value {
        return Ok(());
    }
    if !is_key || readable.is_empty() {
        return work.unreadable(MET, key, "a URL");
    }
    work.report.add(MET, "rows that cannot be read", key);
    work.mender.cut(MET, key, readable, "a URL")
}

/// The URLs of a row up to the first that cannot be read.
fn readable_met(value: &[u8]) -> &[u8] {
    let mut reader = Reader(value);
    loop {
        let readable = &value[..value.len() - reader.0.len()];
        match values::decode_met(&mut reader) {
            Ok(Some(met)) if url_of(met.surt).is_some() => {}
            _ => return readable,
        }
    }
}
