//! Each external link has its backlink, byte for byte what a commit writes, and each backlink its link.

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::super::commit::per_domain;
use super::super::schema::BACKLINKS;
use super::super::{StoreError, keys, values};
use super::ledger::{Ledger, Slice, key_hash, row_number};
use super::pages::walk_again;
use super::{Check, SoundPage, Work};
use crate::urls::Suffixes;

pub(super) struct Backlinks {
    ledger: Ledger,
}

impl Backlinks {
    pub fn new(memory_bytes: usize) -> Self {
        Self { ledger: Ledger::new(memory_bytes) }
    }

    /// The rows of one slice, one by one.
    fn settle_slice(&self, slice: &Slice, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut stored: FxHashMap<u128, u128> = FxHashMap::default();
        work.each_row(BACKLINKS, "looking for damaged backlinks", &mut |_, key, value| {
            let hash = key_hash(key);
            if self.ledger.holds(slice, hash) {
                stored.insert(hash, xxh3_128(value));
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
                    Some(found) if found == xxh3_128(value) => return Ok(()),
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
