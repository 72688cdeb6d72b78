//! Each external link has its backlink, byte for byte as a commit writes it, and each backlink has its link.

use hashbrown::HashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::model::{Absence, BacklinkRecord, Day, OutlinkRecord, SourcePage, is_active};
use crate::store::codec::keys;
use crate::store::db::schema::BACKLINKS;
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::{RepairedPage, scan_again};
use crate::store::verify::set_hash::{BucketedSetHash, Slice, key_hash, row_number};
use crate::store::write::builder::active_links_by_domain;
use crate::store::{StoreError, codec};
use crate::urls::Suffixes;

use super::ConsistencyCheck;

pub(super) struct BacklinkCheck {
    set_hash: BucketedSetHash,
}

/// A stored row of a slice, by hashes.
struct StoredRow {
    value: u128,
    timeless: Option<u64>,
}

impl BacklinkCheck {
    pub(super) fn new(memory_bytes: usize) -> Self {
        Self { set_hash: BucketedSetHash::new(memory_bytes) }
    }

    /// Compares the rows of one slice one by one.
    fn compare_slice(&self, slice: &Slice, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let mut stored: HashMap<u128, StoredRow> = HashMap::new();
        context.for_each_row(BACKLINKS, "looking for damaged backlinks", &mut |_, key, value| {
            let hash = key_hash(key);
            if self.set_hash.contains(slice, hash) {
                stored.insert(hash, StoredRow { value: xxh3_128(value), timeless: timeless(key, value) });
            }
            Ok(())
        })?;
        scan_again(context, "comparing damaged backlinks with links", &mut |page, context| {
            for_each_expected(page, &context.store.suffixes, &mut |key, value| {
                let hash = key_hash(key);
                if !self.set_hash.contains(slice, hash) {
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
                context.report.add(BACKLINKS, what, key);
                context.mark_target_domain(key)?;
                context.repair.put(BACKLINKS, key, value)
            })
        })?;
        if stored.is_empty() {
            return Ok(());
        }
        context.for_each_row(BACKLINKS, "looking for backlinks without a link", &mut |context, key, _| {
            if stored.contains_key(&key_hash(key)) {
                context.report.add(BACKLINKS, "rows that no link stands for", key);
                context.mark_target_domain(key)?;
                context.repair.delete(BACKLINKS, key)?;
            }
            Ok(())
        })
    }
}

impl ConsistencyCheck for BacklinkCheck {
    fn add_page(&mut self, page: &RepairedPage, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        for_each_expected(page, &context.store.suffixes, &mut |key, value| {
            let hash = key_hash(key);
            self.set_hash.expect_row(hash, row_number(hash, value));
            Ok(())
        })
    }

    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        context.for_each_row(BACKLINKS, "reading backlinks", &mut |_, key, value| {
            let hash = key_hash(key);
            self.set_hash.observe_row(hash, row_number(hash, value));
            Ok(())
        })?;
        for slice in self.set_hash.slices() {
            self.compare_slice(&slice, context)?;
        }
        Ok(())
    }
}

/// The hash of a row without its days. `None` if the row cannot be decoded.
fn timeless(key: &[u8], value: &[u8]) -> Option<u64> {
    let BacklinkRecord { target, seq, tag, rel, pos, absences, blpcount, anchor, page, .. } =
        codec::decode_backlink(key, value).ok()?;
    let external = true;
    let absences = if is_active(&absences) { Vec::new() } else { vec![Absence { lost: Day(1), back: None }] };
    let link = OutlinkRecord { target, seq, pos, tag, rel, anchor, external, first_day: Day(1), absences };
    let page = SourcePage { fetched_day: Day(1), ..page };
    Some(xxh3_64(&codec::encode_backlink(&link, blpcount, &page)))
}

/// Receives key and value of each expected row.
type ForEachExpected<'r> = &'r mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Passes the backlinks that the links of a page require to `row`.
fn for_each_expected(
    page: &RepairedPage,
    suffixes: &Suffixes,
    row: ForEachExpected<'_>,
) -> Result<(), StoreError> {
    let counts = active_links_by_domain(&page.links, suffixes);
    let shown = page.page.source();
    for link in page.links.iter().filter(|link| link.external) {
        let blpcount = counts.get(suffixes.domain_of(link.target.host())).copied().unwrap_or(0);
        let key = keys::backlink_key(&link.target, &page.key, link.seq);
        row(&key, &codec::encode_backlink(link, blpcount, &shown))?;
    }
    Ok(())
}
