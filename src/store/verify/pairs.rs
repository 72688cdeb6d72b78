//! `pairs` and `referrals` are the sums of the active external links. A pair whose links are all gone may stand there
//! as zeros, or not at all.

use rustc_hash::FxHashMap;

use super::super::StoreError;
use super::super::keys::{pair, split_pair};
use super::super::pairs::{PairChanges, Sums};
use super::super::schema::{PAIRS, REFERRALS, decode_sums, encode_sums};
use super::ledger::{Ledger, Slice, key_hash, sums_number};
use super::pages::walk_again;
use super::{Check, SoundPage, Work};
use crate::urls::{Surt, host_prefix};

/// The sums of one of the two column families.
pub(super) struct HostPairs {
    family: &'static str,
    /// How many sums a row holds.
    width: usize,
    ledger: Ledger,
}

const UNREADABLE: &str = "rows that cannot be read";
const WRONG: &str = "sums that differ from the links";
const MISSING: &str = "sums that are missing";

impl HostPairs {
    /// `pairs`: target host before source host, with five sums.
    pub fn incoming(memory_bytes: usize) -> Self {
        Self { family: PAIRS, width: 5, ledger: Ledger::new(memory_bytes) }
    }

    /// `referrals`: source host before target host, with the number of links alone.
    pub fn outgoing(memory_bytes: usize) -> Self {
        Self { family: REFERRALS, width: 1, ledger: Ledger::new(memory_bytes) }
    }

    /// What a page adds to the sums, by key.
    fn each_expected(&self, page: &SoundPage, mut row: impl FnMut(&[u8], &[i64])) {
        let mut sums = PairChanges::default();
        sums.add(&page.url, &[], &page.links);
        for (key, sum) in sums.rows() {
            match split_pair(key) {
                Ok((target, source)) if self.family == REFERRALS => row(&pair(source, target), &sum[..1]),
                _ => row(key, sum),
            }
        }
    }

    /// The sums of a stored row, padded with zeros; `None` when it is none.
    fn read(&self, key: &[u8], value: &[u8]) -> Option<Sums> {
        let (first, second) = split_pair(key).ok()?;
        let sums = decode_sums(self.family, key, value).ok()?;
        let is_row = is_host(first) && is_host(second) && sums.len() == self.width;
        let mut padded = Sums::default();
        padded.iter_mut().zip(&sums).for_each(|(padded, &sum)| *padded = sum);
        (is_row && sums.iter().all(|&sum| sum >= 0)).then_some(padded)
    }

    fn settle_slice(&self, slice: &Slice, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut expected: FxHashMap<u128, Sums> = FxHashMap::default();
        walk_again(work, "counting links between hosts", &mut |page, _| {
            self.each_expected(page, |key, sums| {
                let hash = key_hash(key);
                if self.ledger.holds(slice, hash) {
                    let sum = expected.entry(hash).or_default();
                    sum.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
                }
            });
            Ok(())
        })?;
        work.each_row(self.family, "comparing damaged sums with links", &mut |work, key, value| {
            let hash = key_hash(key);
            if !self.ledger.holds(slice, hash) {
                return Ok(());
            }
            let right = expected.remove(&hash);
            match self.read(key, value) {
                Some(sums) if sums == right.unwrap_or_default() => Ok(()),
                Some(_) => self.mend(work, WRONG, key, right),
                None => self.mend(work, UNREADABLE, key, right),
            }
        })?;
        if expected.is_empty() {
            return Ok(());
        }
        walk_again(work, "looking for pairs of hosts without sums", &mut |page, work| {
            let mut missing = Vec::new();
            self.each_expected(page, |key, _| {
                missing.extend(expected.remove(&key_hash(key)).map(|sums| (key.to_vec(), sums)));
            });
            missing.into_iter().try_for_each(|(key, sums)| self.mend(work, MISSING, &key, Some(sums)))
        })
    }

    fn mend(
        &self,
        work: &mut Work<'_>,
        what: &'static str,
        key: &[u8],
        right: Option<Sums>,
    ) -> Result<(), StoreError> {
        work.report.add(self.family, what, key);
        if let Ok((first, second)) = split_pair(key) {
            let (target, source) = if self.family == PAIRS { (first, second) } else { (second, first) };
            work.target_changes(target)?;
            work.page_changes(source)?;
        }
        match right {
            Some(sums) => work.mender.put(self.family, key, &encode_sums(&sums[..self.width])),
            None => work.mender.delete(self.family, key),
        }
    }
}

impl Check for HostPairs {
    fn page(&mut self, page: &SoundPage, _work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        self.each_expected(page, |key, sums| {
            let hash = key_hash(key);
            rows.push((hash, sums_number(hash, sums)));
        });
        rows.into_iter().for_each(|(hash, number)| self.ledger.want(hash, number));
        Ok(())
    }

    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let family = self.family;
        work.each_row(family, "reading links between hosts", &mut |_, key, value| {
            let hash = key_hash(key);
            match self.read(key, value) {
                Some(sums) => self.ledger.meet(hash, sums_number(hash, &sums)),
                None => self.ledger.suspect(hash),
            }
            Ok(())
        })?;
        for slice in self.ledger.slices() {
            self.settle_slice(&slice, work)?;
        }
        Ok(())
    }
}

/// Whether a part of a key is a host in sortable form.
fn is_host(part: &[u8]) -> bool {
    part.len() > 1 && Surt::host_of(part).is_ok_and(|host| host_prefix(&host) == part)
}
