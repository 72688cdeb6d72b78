//! Lists of signed numbers, which the merge operator adds element by element.

use crate::store::StoreError;

use super::varint::{Reader, put_signed};

pub(in crate::store) fn encode_sums(sums: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sums.len() * 2);
    for &sum in sums {
        put_signed(&mut out, sum);
    }
    out
}

pub(in crate::store) fn decode_sums(
    family: &'static str,
    key: &[u8],
    bytes: &[u8],
) -> Result<Vec<i64>, StoreError> {
    let mut reader = Reader(bytes);
    let mut sums = Vec::new();
    while !reader.0.is_empty() {
        sums.push(reader.signed("a sum").map_err(|damage| StoreError::damaged(family, key, damage.0))?);
    }
    Ok(sums)
}
