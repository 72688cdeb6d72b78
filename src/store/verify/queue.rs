//! The queue, the schedule and the hosts' records can be read, and a page that is to be visited again stands where it
//! will be found: in the schedule at its time, or in its host's queue.

use super::super::codec::{Reader, put_varint};
use super::super::queue::{decode_entry, entry_key, schedule_key, scheduled_depth, split_scheduled};
use super::super::schema::{FRONTIER, HOSTS, MET, PAGES, SCHEDULE};
use super::super::{StoreError, page_from, values};
use super::pages::url_of;
use super::{Check, SoundPage, Work};
use crate::frontier::QueueName;
use crate::model::StoredPage;
use crate::urls::Surt;

pub(super) struct Queue;

impl Check for Queue {
    fn page(&mut self, page: &SoundPage, work: &mut Work<'_>) -> Result<(), StoreError> {
        let at = page.page.next_visit;
        if at == 0 || work.snapshot.get(SCHEDULE, &schedule_key(at, &page.key))?.is_some() {
            return Ok(());
        }
        if !waits(page, work)? {
            work.report.add(SCHEDULE, "visits that are missing", &schedule_key(at, &page.key));
            work.mender.put(SCHEDULE, &schedule_key(at, &page.key), &depth_of(&page.page))?;
        }
        Ok(())
    }

    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(
            FRONTIER,
            "reading the queue",
            &mut |work, key, value| match decode_entry(key, value) {
                Ok(entry)
                    if url_of(Surt::from(&entry.url).as_bytes()).is_some()
                        && key == entry_key(&entry.url, entry.priority) =>
                {
                    Ok(())
                }
                _ => work.unreadable(FRONTIER, key, "the entry"),
            },
        )?;
        work.each_row(SCHEDULE, "reading the schedule", &mut scheduled)?;
        work.each_row(HOSTS, "reading what is known of hosts", &mut |work, key, value| {
            match values::decode_host(value) {
                Ok(_) if is_queue(key) => Ok(()),
                _ => work.unreadable(HOSTS, key, "the host"),
            }
        })?;
        work.each_row(MET, "reading URLs that were met", &mut |work, key, value| {
            if key.len() == size_of::<u64>() && is_met(value) {
                Ok(())
            } else {
                work.unreadable(MET, key, "a URL")
            }
        })
    }
}

fn scheduled(work: &mut Work<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let Ok((time, surt)) = split_scheduled(key) else { return work.unreadable(SCHEDULE, key, "the time") };
    if url_of(surt).is_none() {
        return work.unreadable(SCHEDULE, key, "the URL");
    }
    // A page that cannot be read has been told of.
    let page = page_from(surt, work.snapshot.get(PAGES, surt)?).ok().flatten();
    match page {
        Some(page) if page.next_visit != time => {
            work.report.add(SCHEDULE, "visits at another time than their page says", key);
            work.mender.delete(SCHEDULE, key)
        }
        _ if scheduled_depth(value).is_ok() => Ok(()),
        Some(page) => {
            work.report.add(SCHEDULE, "rows that cannot be read", key);
            work.mender.put(SCHEDULE, key, &depth_of(&page))
        }
        None => work.unreadable(SCHEDULE, key, "the depth"),
    }
}

/// What a row of the schedule holds.
fn depth_of(page: &StoredPage) -> Vec<u8> {
    let mut depth = Vec::with_capacity(1);
    put_varint(&mut depth, u64::from(page.depth));
    depth
}

/// Whether a page stands in its host's queue.
fn waits(page: &SoundPage, work: &Work<'_>) -> Result<bool, StoreError> {
    Ok(work.store.entry_of(&page.url)?.is_some())
}

fn is_queue(key: &[u8]) -> bool {
    let Some((&scheme, authority)) = key.split_last() else { return false };
    url_of(&[authority, b"/", &[scheme]].concat()).is_some_and(|url| QueueName::of(&url).as_bytes() == key)
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
