//! Each external link has its backlink, byte for byte what a commit writes, and each backlink its link.

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::super::commit::per_domain;
use super::super::schema::BACKLINKS;
use super::super::{StoreError, keys, values};
use super::ledger::{Ledger, Slice, key_hash, row_number};
use super::pages::walk_again;
use super::{Check, SoundPage, Work};
use crate::model::{BacklinkRecord, Day, OutlinkRecord, SourcePage, Toggle, is_active};
use crate::urls::Suffixes;

pub(super) struct Backlinks {
    ledger: Ledger,
}

/// A row of a slice, by hashes.
struct Stored {
    value: u128,
    timeless: Option<u64>,
}

impl Backlinks {
    pub fn new(memory_bytes: usize) -> Self {
        Self { ledger: Ledger::new(memory_bytes) }
    }

    /// The rows of one slice, one by one.
    fn settle_slice(&self, slice: &Slice, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut stored: FxHashMap<u128, Stored> = FxHashMap::default();
        work.each_row(BACKLINKS, "looking for damaged backlinks", &mut |_, key, value| {
            let hash = key_hash(key);
            if self.ledger.holds(slice, hash) {
                stored.insert(hash, Stored { value: xxh3_128(value), timeless: timeless(key, value) });
            }
            Ok(())
        })?;
        walk_again(work, "comparing damaged backlinks with links", &mut |page, work| {
            each_expected(page, &work.store.suffixes, &mut |key, value| {
                let hash = key_hash(key);
                if !self.ledger.holds(slice, hash) {
                    return Ok(());
                }
                let what = match stored.remove(&hash) {
                    Some(found) if found.value == xxh3_128(value) => return Ok(()),
                    Some(found) if found.timeless.is_some() && found.timeless == timeless(key, value) => {
                        "rows with other days than their link or its page"
                    }
                    Some(_) => "rows that differ from the link they stand for",
                    None => "rows that are missing",
                };
                work.report.add(BACKLINKS, what, key);
                work.target_changes(key)?;
                work.mender.put(BACKLINKS, key, value)
            })
        })?;
        if stored.is_empty() {
            return Ok(());
        }
        work.each_row(BACKLINKS, "looking for backlinks without a link", &mut |work, key, _| {
            if stored.contains_key(&key_hash(key)) {
                work.report.add(BACKLINKS, "rows that no link stands for", key);
                work.target_changes(key)?;
                work.mender.delete(BACKLINKS, key)?;
            }
            Ok(())
        })
    }
}

impl Check for Backlinks {
    fn page(&mut self, page: &SoundPage, work: &mut Work<'_>) -> Result<(), StoreError> {
        each_expected(page, &work.store.suffixes, &mut |key, value| {
            let hash = key_hash(key);
            self.ledger.want(hash, row_number(hash, value));
            Ok(())
        })
    }

    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(BACKLINKS, "reading backlinks", &mut |_, key, value| {
            let hash = key_hash(key);
            self.ledger.meet(hash, row_number(hash, value));
            Ok(())
        })?;
        for slice in self.ledger.slices() {
            self.settle_slice(&slice, work)?;
        }
        Ok(())
    }
}

/// The hash of a row without its days; `None` where the row cannot be read.
fn timeless(key: &[u8], value: &[u8]) -> Option<u64> {
    let BacklinkRecord { target, seq, tag, rel, pos, toggles, blpcount, anchor, page, .. } =
        values::decode_backlink(key, value).ok()?;
    let external = true;
    let toggles = if is_active(&toggles) { Vec::new() } else { vec![Toggle { lost: Day(1), back: None }] };
    let link = OutlinkRecord { target, seq, pos, tag, rel, anchor, external, ins_day: Day(1), toggles };
    let page = SourcePage { upd_day: Day(1), ..page };
    Some(xxh3_64(&values::encode_backlink(&link, blpcount, &page)))
}

/// What is done with each row that should be there: its key and its value.
type EachExpected<'r> = &'r mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// The rows that a page's links ask for.
fn each_expected(page: &SoundPage, suffixes: &Suffixes, row: EachExpected<'_>) -> Result<(), StoreError> {
    let counts = per_domain(&page.links, suffixes);
    let shown = page.page.source();
    for link in page.links.iter().filter(|link| link.external) {
        let blpcount = counts.get(suffixes.domain_of(link.target.host())).copied().unwrap_or(0);
        let key = keys::backlink(&link.target, &page.key, link.seq);
        row(&key, &values::encode_backlink(link, blpcount, &shown))?;
    }
    Ok(())
}
