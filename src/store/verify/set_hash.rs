//! Compares two large sets of rows in bounded memory, without sorting: the expected rows, which come in the order of
//! their sources, and the stored rows, which come in key order.
//!
//! Each row has a number of 128 bits, which is a function of its bytes, and belongs to one of many buckets by the hash
//! of its key. A bucket adds the numbers of expected rows and subtracts those of stored rows, in any order. A bucket
//! with sum zero holds equal rows: different rows add up to zero with a probability of 2^-128. Any other bucket is
//! *flagged*.
//!
//! The rows of flagged buckets are compared one by one, in as many slices as the memory requires. So an undamaged
//! store is read once, and a store with few damaged rows a few times.
//!
//! Rows of sums are compared without adding them up first: the number of a row is the product of its key's and of its
//! counts' number, so the numbers of the parts add up to the number of the whole.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

/// Bytes of one row in a slice: hashes in a hash table that may be half empty.
const ROW_BYTES: usize = 128;
/// Minimum and maximum number of buckets, as powers of two.
const MIN_BITS: u32 = 8;
const MAX_BITS: u32 = 22;

/// The factor of a count, by its position in the row: odd numbers without a simple relation to each other.
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
    /// The number of rows in the bucket, of both sets.
    rows: u32,
    flagged: bool,
}

/// A set hash in buckets: the comparison of expected with stored rows.
pub(super) struct BucketedSetHash {
    buckets: Vec<Bucket>,
    bits: u32,
    slice_rows: u64,
}

/// A range of buckets whose flagged rows fit into memory.
#[derive(Clone, Debug)]
pub(super) struct Slice(Range<usize>);

/// The hash of a key.
pub(super) fn key_hash(key: &[u8]) -> u128 {
    xxh3_128(key)
}

/// The number of a row that is compared byte by byte.
pub(super) fn row_number(key_hash: u128, value: &[u8]) -> u128 {
    // The product changes if two keys exchange their values.
    (key_hash | 1).wrapping_mul(xxh3_128(value) | 1)
}

/// The number of a row of counts.
#[expect(clippy::cast_sign_loss, reason = "a negative count keeps all of its bits")]
pub(super) fn sums_number(key_hash: u128, counts: &[i64]) -> u128 {
    let weighed = counts.iter().zip(WEIGHTS).map(|(&count, weight)| (count as u128).wrapping_mul(weight));
    (key_hash | 1).wrapping_mul(weighed.fold(0, u128::wrapping_add))
}

impl BucketedSetHash {
    /// `memory_bytes` is the limit for buckets and slices together.
    pub(super) fn new(memory_bytes: usize) -> Self {
        let most = (memory_bytes / 2 / size_of::<Bucket>()).max(1).ilog2();
        let bits = most.clamp(MIN_BITS, MAX_BITS);
        let slice_rows = (memory_bytes / 2 / ROW_BYTES).max(1) as u64;
        Self { buckets: vec![Bucket::default(); 1 << bits], bits, slice_rows }
    }

    fn bucket_index(&self, key_hash: u128) -> usize {
        // The shift leaves at most as many bits as there are buckets.
        (key_hash >> (u128::BITS - self.bits)) as usize
    }

    fn bucket(&mut self, key_hash: u128) -> &mut Bucket {
        let at = self.bucket_index(key_hash);
        &mut self.buckets[at]
    }

    /// Adds an expected row, or a part of one.
    pub(super) fn expect_row(&mut self, key_hash: u128, number: u128) {
        let bucket = self.bucket(key_hash);
        bucket.sum = bucket.sum.wrapping_add(number);
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// Adds a stored row.
    pub(super) fn observe_row(&mut self, key_hash: u128, number: u128) {
        let bucket = self.bucket(key_hash);
        bucket.sum = bucket.sum.wrapping_sub(number);
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// Flags the bucket of this key, whatever its sum is.
    pub(super) fn flag_bucket(&mut self, key_hash: u128) {
        let bucket = self.bucket(key_hash);
        bucket.flagged = true;
        bucket.rows = bucket.rows.saturating_add(1);
    }

    /// The flagged buckets, in slices whose rows fit into memory.
    pub(super) fn slices(&mut self) -> Vec<Slice> {
        let (mut slices, mut rows) = (Vec::<Slice>::new(), 0u64);
        for (at, bucket) in self.buckets.iter_mut().enumerate() {
            bucket.flagged |= bucket.sum != 0;
            if !bucket.flagged {
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

    /// Whether a key belongs to a flagged bucket of the slice.
    pub(super) fn contains(&self, Slice(range): &Slice, key_hash: u128) -> bool {
        let at = self.bucket_index(key_hash);
        range.contains(&at) && self.buckets[at].flagged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(set_hash: &mut BucketedSetHash, expected: bool, key: &str, value: &str) {
        let hash = key_hash(key.as_bytes());
        let number = row_number(hash, value.as_bytes());
        if expected { set_hash.expect_row(hash, number) } else { set_hash.observe_row(hash, number) }
    }

    #[test]
    fn equal_sets_cancel_and_a_difference_flags_its_bucket() {
        let mut set_hash = BucketedSetHash::new(1 << 20);
        for number in 0..10_000 {
            row(&mut set_hash, true, &format!("key {number}"), &format!("value {number}"));
        }
        for number in (0..10_000).rev() {
            row(&mut set_hash, false, &format!("key {number}"), &format!("value {number}"));
        }
        assert!(set_hash.slices().is_empty());
        row(&mut set_hash, true, "key 1", "another value");
        let slices = set_hash.slices();
        assert_eq!(slices.len(), 1);
        assert!(set_hash.contains(&slices[0], key_hash(b"key 1")));
        let held =
            (0..10_000).filter(|n| set_hash.contains(&slices[0], key_hash(format!("key {n}").as_bytes())));
        assert!(held.count() < 10, "other buckets are not looked at");
    }

    #[test]
    fn exchanged_values_are_detected() {
        let mut set_hash = BucketedSetHash::new(1 << 20);
        for (expected, pairs) in [(true, [("a", "1"), ("b", "2")]), (false, [("a", "2"), ("b", "1")])] {
            pairs.into_iter().for_each(|(key, value)| row(&mut set_hash, expected, key, value));
        }
        assert_eq!(set_hash.slices().len(), 1);
        for key in [&b"a"[..], b"b"] {
            let slices = set_hash.slices();
            assert!(set_hash.contains(&slices[0], key_hash(key)));
        }
    }

    #[test]
    fn parts_of_a_sum_add_up_to_the_whole() {
        let hash = key_hash(b"pair");
        let parts = [[3, 1, 2, 1, 0], [4, 0, 4, 0, 1]];
        let mut set_hash = BucketedSetHash::new(1 << 20);
        parts.iter().for_each(|part| set_hash.expect_row(hash, sums_number(hash, part)));
        set_hash.observe_row(hash, sums_number(hash, &[7, 1, 6, 1, 1]));
        assert!(set_hash.slices().is_empty());
        set_hash.observe_row(hash, sums_number(hash, &[0, 0, 0, 0, 0]));
        assert!(set_hash.slices().is_empty(), "a pair whose links are all gone is none");
        set_hash.expect_row(hash, sums_number(hash, &[1, 0, 0, 0, -1]));
        assert_eq!(set_hash.slices().len(), 1);
    }

    #[test]
    fn slices_fit_into_memory_and_hold_every_flagged_row_once() {
        let mut set_hash = BucketedSetHash::new(64 << 10);
        let keys: Vec<String> = (0..5_000).map(|number| format!("key {number}")).collect();
        keys.iter().for_each(|key| row(&mut set_hash, true, key, "missing"));
        let slices = set_hash.slices();
        assert!(slices.len() > 10, "{}", slices.len());
        for key in &keys {
            let hash = key_hash(key.as_bytes());
            assert_eq!(slices.iter().filter(|slice| set_hash.contains(slice, hash)).count(), 1);
        }
        for slice in &slices {
            let held = keys.iter().filter(|key| set_hash.contains(slice, key_hash(key.as_bytes()))).count();
            assert!(held <= (32 << 10) / ROW_BYTES || slice.0.len() == 1, "{held}");
        }
    }
}
