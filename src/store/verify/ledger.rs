//! Two large sets of rows compared in bounded memory, without sorting either: the rows that should be there, which
//! come in the order of their sources, and those that are, which come in key order.
//!
//! Each row has a number of 128 bits, made of its bytes, and belongs to one of many buckets by the hash of its key. A
//! bucket adds the numbers of the rows that should be there and subtracts those of the rows that are; the order does
//! not matter. A bucket that ends at zero holds equal rows (that differing rows add up to zero has a chance of one in
//! 2^128); any other is *suspect*, and the rows of suspect buckets are looked at one by one, in as many slices as the
//! memory asks for. An undamaged store is thus read once, and one with a few damaged rows little more often.
//!
//! Rows of sums are compared without adding them up first: a row's number is its key's times its counts', so that
//! the parts of a sum add up to the number of the whole.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

/// Bytes of one row in a slice: hashes in a table that may be half empty.
const ROW_BYTES: usize = 128;
/// Buckets at least and at most, as powers of two.
const LEAST_BITS: u32 = 8;
const MOST_BITS: u32 = 22;

/// What a count is multiplied by, by its place in the row: odd, and of no simple relation to each other.
const WEIGHTS: [u128; 5] = [
    0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835,
    0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93_c2b2_ae3d_27d4_eb4f,
    0xff51_afd7_ed55_8ccd_c4ce_b9fe_1a85_ec53,
    0x8764_0c8f_d5a9_5a27_a24b_aed4_963e_e407,
];

#[derive(Clone, Copy, Default)]
struct Bucket {
    sum: u128,
    /// How many rows came in, of both sets.
    rows: u32,
    suspect: bool,
}

/// The comparison.
pub(super) struct Ledger {
    buckets: Vec<Bucket>,
    bits: u32,
    slice_rows: u64,
}

/// Some of the suspect buckets.
#[derive(Clone, Debug)]
pub(super) struct Slice(Range<usize>);

/// The hash of a key.
pub(super) fn key_hash(key: &[u8]) -> u128 {
    xxh3_128(key)
}

/// The number of a row that is compared byte by byte.
pub(super) fn row_number(key_hash: u128, value: &[u8]) -> u128 {
    // Multiplied, so that values that change places do not go unnoticed.
    (key_hash | 1).wrapping_mul(xxh3_128(value) | 1)
}

/// The number of a row of counts.
pub(super) fn sums_number(key_hash: u128, counts: &[i64]) -> u128 {
    let weighed = counts.iter().zip(WEIGHTS).map(|(&count, weight)| (count as u128).wrapping_mul(weight));
    (key_hash | 1).wrapping_mul(weighed.fold(0, u128::wrapping_add))
}

impl Ledger {
    /// `memory_bytes` is for buckets and slices together.
    pub fn new(memory_bytes: usize) -> Self {
        let most = (memory_bytes / 2 / size_of::<Bucket>()).max(1).ilog2();
        let bits = most.clamp(LEAST_BITS, MOST_BITS);
        let slice_rows = (memory_bytes / 2 / ROW_BYTES).max(1) as u64;
        Self { buckets: vec![Bucket::default(); 1 << bits], bits, slice_rows }
    }

    fn place(&self, key_hash: u128) -> usize {
        // The shift leaves no more bits than there are buckets.
        (key_hash >> (u128::BITS - self.bits)) as usize
    }

    fn bucket(&mut self, key_hash: u128) -> &mut Bucket {
        let at = self.place(key_hash);
        &mut self.buckets[at]
    }

    /// Takes in a row, or a part of one, that should be there.
    pub fn want(&mut self, key_hash: u128, number: u128) {
        let bucket = self.bucket(key_hash);
        bucket.sum = bucket.sum.wrapping_add(number);
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// Takes in a row that is there.
    pub fn meet(&mut self, key_hash: u128, number: u128) {
        let bucket = self.bucket(key_hash);
        bucket.sum = bucket.sum.wrapping_sub(number);
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// Has the rows of this key's bucket looked at in any case.
    pub fn suspect(&mut self, key_hash: u128) {
        let bucket = self.bucket(key_hash);
        bucket.suspect = true;
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// The suspect buckets, in slices whose rows fit the memory.
    pub fn slices(&mut self) -> Vec<Slice> {
        let (mut slices, mut rows) = (Vec::<Slice>::new(), 0u64);
        for (at, bucket) in self.buckets.iter_mut().enumerate() {
            bucket.suspect |= bucket.sum != 0;
            if !bucket.suspect {
                continue;
            }
            rows += u64::from(bucket.rows);
            match slices.last_mut() {
                Some(Slice(range)) if rows <= self.slice_rows => range.end = at + 1,
                _ => {
                    slices.push(Slice(at..at + 1));
                    rows = u64::from(bucket.rows);
                }
            }
        }
        slices
    }

    /// Whether a key belongs to a suspect bucket of the slice.
    pub fn holds(&self, Slice(range): &Slice, key_hash: u128) -> bool {
        let at = self.place(key_hash);
        range.contains(&at) && self.buckets[at].suspect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ledger: &mut Ledger, expected: bool, key: &str, value: &str) {
        let hash = key_hash(key.as_bytes());
        let number = row_number(hash, value.as_bytes());
        if expected { ledger.want(hash, number) } else { ledger.meet(hash, number) }
    }

    #[test]
    fn equal_sets_leave_nothing_and_a_difference_its_own_bucket() {
        let mut ledger = Ledger::new(1 << 20);
        for number in 0..10_000 {
            row(&mut ledger, true, &format!("key {number}"), &format!("value {number}"));
        }
        for number in (0..10_000).rev() {
            row(&mut ledger, false, &format!("key {number}"), &format!("value {number}"));
        }
        assert!(ledger.slices().is_empty());
        row(&mut ledger, true, "key 1", "another value");
        let slices = ledger.slices();
        assert_eq!(slices.len(), 1);
        assert!(ledger.holds(&slices[0], key_hash(b"key 1")));
        let held = (0..10_000).filter(|n| ledger.holds(&slices[0], key_hash(format!("key {n}").as_bytes())));
        assert!(held.count() < 10, "other buckets are not looked at");
    }

    #[test]
    fn values_that_changed_places_are_noticed() {
        let mut ledger = Ledger::new(1 << 20);
        for (expected, pairs) in [(true, [("a", "1"), ("b", "2")]), (false, [("a", "2"), ("b", "1")])] {
            pairs.into_iter().for_each(|(key, value)| row(&mut ledger, expected, key, value));
        }
        assert_eq!(ledger.slices().len(), 1);
        for key in [&b"a"[..], b"b"] {
            let slices = ledger.slices();
            assert!(ledger.holds(&slices[0], key_hash(key)));
        }
    }

    #[test]
    fn parts_of_a_sum_are_the_whole() {
        let hash = key_hash(b"pair");
        let parts = [[3, 1, 2, 1, 0], [4, 0, 4, 0, 1]];
        let mut ledger = Ledger::new(1 << 20);
        parts.iter().for_each(|part| ledger.want(hash, sums_number(hash, part)));
        ledger.meet(hash, sums_number(hash, &[7, 1, 6, 1, 1]));
        assert!(ledger.slices().is_empty());
        ledger.meet(hash, sums_number(hash, &[0, 0, 0, 0, 0]));
        assert!(ledger.slices().is_empty(), "a pair whose links are all gone is none");
        ledger.want(hash, sums_number(hash, &[1, 0, 0, 0, -1]));
        assert_eq!(ledger.slices().len(), 1);
    }

    #[test]
    fn slices_fit_the_memory_and_hold_every_suspect_once() {
        let mut ledger = Ledger::new(64 << 10);
        let keys: Vec<String> = (0..5_000).map(|number| format!("key {number}")).collect();
        keys.iter().for_each(|key| row(&mut ledger, true, key, "missing"));
        let slices = ledger.slices();
        assert!(slices.len() > 10, "{}", slices.len());
        for key in &keys {
            let hash = key_hash(key.as_bytes());
            assert_eq!(slices.iter().filter(|slice| ledger.holds(slice, hash)).count(), 1);
        }
        for slice in &slices {
            let held = keys.iter().filter(|key| ledger.holds(slice, key_hash(key.as_bytes()))).count();
            assert!(held <= (32 << 10) / ROW_BYTES || slice.0.len() == 1, "{held}");
        }
    }
}
