//! `pairs` and `referrals` are the sums of the active external links. A pair without links is stored as zeros, or not
//! at all.

use hashbrown::HashMap;

use crate::store::StoreError;
use crate::store::codec::keys::{pair_key, split_pair_key};
use crate::store::codec::sums::{decode_sums, encode_sums};
use crate::store::db::schema::{PAIRS, REFERRALS};
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::{RepairedPage, scan_again};
use crate::store::verify::set_hash::{BucketedSetHash, Slice, key_hash, sums_number};
use crate::store::write::host_pairs::{PairChanges, Sums};
use crate::urls::{Surt, host_prefix};

use super::ConsistencyCheck;

/// The check of one of the two column families.
pub(super) struct HostPairCheck {
    family: &'static str,
    /// The number of sums in a row.
    width: usize,
    set_hash: BucketedSetHash,
}

const UNREADABLE: &str = "rows that cannot be read";
const WRONG: &str = "sums that differ from the links";
const MISSING: &str = "sums that are missing";

impl HostPairCheck {
    /// `pairs`: target host before source host, with five sums.
    pub(super) fn incoming(memory_bytes: usize) -> Self {
        Self { family: PAIRS, width: 5, set_hash: BucketedSetHash::new(memory_bytes) }
    }

    /// `referrals`: source host before target host, with only the number of links.
    pub(super) fn outgoing(memory_bytes: usize) -> Self {
        Self { family: REFERRALS, width: 1, set_hash: BucketedSetHash::new(memory_bytes) }
    }

    /// Passes what a page adds to the sums to `row`, by key.
    fn for_each_expected(&self, page: &RepairedPage, mut row: impl FnMut(&[u8], &[i64])) {
        let mut sums = PairChanges::default();
        sums.add(&page.url, &[], &page.links);
        for (key, sum) in sums.rows() {
            match split_pair_key(key) {
                Ok((target, source)) if self.family == REFERRALS => row(&pair_key(source, target), &sum[..1]),
                _ => row(key, sum),
            }
        }
    }

    /// The sums of a stored row, padded with zeros. `None` if the row is invalid.
    fn read(&self, key: &[u8], value: &[u8]) -> Option<Sums> {
        let (first, second) = split_pair_key(key).ok()?;
        let sums = decode_sums(self.family, key, value).ok()?;
        let is_row = is_host(first) && is_host(second) && sums.len() == self.width;
        let mut padded = Sums::default();
        padded.iter_mut().zip(&sums).for_each(|(padded, &sum)| *padded = sum);
        (is_row && sums.iter().all(|&sum| sum >= 0)).then_some(padded)
    }

    /// The expected sums of a slice by the hash of their key.
    fn expected_sums(
        &self,
        slice: &Slice,
        context: &mut VerifyContext<'_>,
    ) -> Result<HashMap<u128, Sums>, StoreError> {
        let mut expected: HashMap<u128, Sums> = HashMap::default();
        scan_again(context, "counting links between hosts", &mut |page, _| {
            self.for_each_expected(page, |key, sums| {
                let hash = key_hash(key);
                if self.set_hash.contains(slice, hash) {
                    let sum = expected.entry(hash).or_default();
                    sum.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
                }
            });
            Ok(())
        })?;
        Ok(expected)
    }

    fn compare_slice(&self, slice: &Slice, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let mut expected = self.expected_sums(slice, context)?;
        context.for_each_row(
            self.family,
            "comparing damaged sums with links",
            &mut |context, key, value| {
                let hash = key_hash(key);
                if !self.set_hash.contains(slice, hash) {
                    return Ok(());
                }
                let right = expected.remove(&hash);
                match self.read(key, value) {
                    Some(sums) if sums == right.unwrap_or_default() => Ok(()),
                    Some(_) => self.repair_row(context, WRONG, key, right),
                    None => self.repair_row(context, UNREADABLE, key, right),
                }
            },
        )?;
        if expected.is_empty() {
            return Ok(());
        }
        scan_again(context, "looking for pairs of hosts without sums", &mut |page, context| {
            let mut missing = Vec::new();
            self.for_each_expected(page, |key, _| {
                missing.extend(expected.remove(&key_hash(key)).map(|sums| (key.to_vec(), sums)));
            });
            missing
                .into_iter()
                .try_for_each(|(key, sums)| self.repair_row(context, MISSING, &key, Some(sums)))
        })
    }

    fn repair_row(
        &self,
        context: &mut VerifyContext<'_>,
        what: &'static str,
        key: &[u8],
        right: Option<Sums>,
    ) -> Result<(), StoreError> {
        context.report.add(self.family, what, key);
        if let Ok((first, second)) = split_pair_key(key) {
            let (target, source) = if self.family == PAIRS { (first, second) } else { (second, first) };
            context.mark_target_domain(target)?;
            context.mark_page_domain(source)?;
        }
        match right {
            Some(sums) => context.repair.put(self.family, key, &encode_sums(&sums[..self.width])),
            None => context.repair.delete(self.family, key),
        }
    }
}

impl ConsistencyCheck for HostPairCheck {
    fn add_page(&mut self, page: &RepairedPage, _context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        self.for_each_expected(page, |key, sums| {
            let hash = key_hash(key);
            rows.push((hash, sums_number(hash, sums)));
        });
        rows.into_iter().for_each(|(hash, number)| self.set_hash.expect_row(hash, number));
        Ok(())
    }

    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let family = self.family;
        context.for_each_row(family, "reading links between hosts", &mut |_, key, value| {
            let hash = key_hash(key);
            match self.read(key, value) {
                Some(sums) => self.set_hash.observe_row(hash, sums_number(hash, &sums)),
                None => self.set_hash.flag_bucket(hash),
            }
            Ok(())
        })?;
        for slice in self.set_hash.slices() {
            self.compare_slice(&slice, context)?;
        }
        Ok(())
    }
}

/// Whether a part of a key is the host part of a SURT.
fn is_host(part: &[u8]) -> bool {
    part.len() > 1 && Surt::decode_host(part).is_ok_and(|host| host_prefix(&host) == part)
}
