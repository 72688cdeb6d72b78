//! The queue, the schedule, the URLs that were met and the robots.txt files kept can be read, and are written in the
//! one way there is.

use super::super::codec::Reader;
use super::super::queue::{Scheduled, decode_entry, entry_key, split_scheduled};
use super::super::schema::{FRONTIER, MET, PAGES, ROBOTS, SCHEDULE};
use super::super::{StoreError, page_from, values};
use super::pages::url_of;
use super::{Check, Work};
use crate::frontier::QueuedUrl;
use crate::urls::Surt;

pub(super) struct Queue;

impl Check for Queue {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(
            FRONTIER,
            "reading the queue",
            &mut |work, key, value| match sound_entry(key, value) {
                Some(_) => Ok(()),
                None => work.unreadable(FRONTIER, key, "the entry"),
            },
        )?;
        work.each_row(SCHEDULE, "reading the schedule", &mut scheduled)?;
        work.each_row(MET, "reading URLs that were met", &mut |work, key, value| {
            if key.len() == size_of::<u64>() && is_met(value) {
                Ok(())
            } else {
                work.unreadable(MET, key, "a URL")
            }
        })?;
        work.each_row(ROBOTS, "reading robots.txt files", &mut |work, key, value| {
            // What it holds is the business of whoever keeps it there.
            if key.is_empty() || value.is_empty() {
                return work.unreadable(ROBOTS, key, "the robots.txt");
            }
            Ok(())
        })
    }
}

/// An entry of the queue, if it can be read and stands where it should.
pub(super) fn sound_entry(key: &[u8], value: &[u8]) -> Option<QueuedUrl> {
    let entry = decode_entry(key, value).ok()?;
    let is_canonical = url_of(Surt::from(&entry.url).as_bytes()).is_some();
    (is_canonical && key == entry_key(&entry.url, entry.priority)).then_some(entry)
}

fn scheduled(work: &mut Work<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let Ok((time, surt)) = split_scheduled(key) else { return work.unreadable(SCHEDULE, key, "the time") };
    if url_of(surt).is_none() {
        return work.unreadable(SCHEDULE, key, "the URL");
    }
    if Scheduled::decode(value).is_ok() {
        return Ok(());
    }
    // A page that cannot be read has been told of.
    match page_from(surt, work.snapshot.get(PAGES, surt)?).ok().flatten() {
        Some(page) if page.next_visit == time => {
            work.report.add(SCHEDULE, "rows that cannot be read", key);
            work.mender.put(SCHEDULE, key, &Scheduled { depth: page.depth, pageless: false }.encode())
        }
        _ => work.unreadable(SCHEDULE, key, "the depth"),
    }
}

fn is_met(value: &[u8]) -> bool {
    let mut reader = Reader(value);
    loop {
        match values::decode_met(&mut reader) {
            Ok(Some(met)) if url_of(met.surt).is_some() => {}
            Ok(None) => return true,
            _ => return false,
        }
    }
}
