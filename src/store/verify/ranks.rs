//! Every rank can be read: its generation, its kind, its name, and a value that a computation gives. The current
//! generation is one that can be read, and has ranks if any other has.
//!
//! Ranks of the next generation are what a computation that was cut off left, those of the one before what its
//! publication did; nobody reads them, and the next computation clears them away. There are no others. Whether the
//! current generation must have ranks nobody can tell, for those that are zero are not stored.

use super::super::StoreError;
use super::super::ranks::{GENERATION_KEY, RankKind, decode_generation, decode_rank, encode_generation};
use super::super::schema::{META, RANKS};
use super::{Check, Work};
use crate::model::SearchRank;
use crate::urls::Surt;

pub(super) struct Ranks;

impl Check for Ranks {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let current = current(work)?;
        let own = current.saturating_sub(1)..=current.saturating_add(1);
        work.each_row(RANKS, "reading ranks", &mut |work, key, value| {
            let Some(generation) = generation_of(key) else {
                return work.unreadable(RANKS, key, "the key");
            };
            if !own.contains(&generation) {
                work.report.add(RANKS, "ranks of no computation", key);
                return work.mender.delete(RANKS, key);
            }
            match decode_rank(value) {
                Ok(rank) if SearchRank::default() < rank && rank <= SearchRank::MAX => Ok(()),
                _ => work.unreadable(RANKS, key, "the rank"),
            }
        })
    }
}

/// The generation that is current. One that cannot be, or has no ranks while others have, is replaced by the least
/// that has: its computation was finished, or none after it could have begun.
fn current(work: &mut Work<'_>) -> Result<u32, StoreError> {
    let value = work.snapshot.get(META, GENERATION_KEY)?;
    let stored = decode_generation(value.as_deref());
    let mut cursor = work.cursor(RANKS)?;
    while cursor.key().is_some_and(|key| generation_of(key).is_none()) {
        cursor.next();
    }
    let least = cursor.key().and_then(generation_of);
    if let Ok(current) = stored {
        cursor.seek(current.to_be_bytes());
        let has_ranks = cursor.key().is_some_and(|key| key.starts_with(&current.to_be_bytes()));
        // Those of the next generation alone are of a computation that was cut off.
        if has_ranks || least.is_none_or(|least| least == current.wrapping_add(1)) {
            cursor.status()?;
            return Ok(current);
        }
    }
    cursor.status()?;
    let what =
        if stored.is_ok() { "a generation of ranks that has none" } else { "rows that cannot be read" };
    work.report.add(META, what, GENERATION_KEY);
    match least {
        Some(least) => work.mender.put(META, GENERATION_KEY, &encode_generation(least))?,
        None => work.mender.give_up(META, GENERATION_KEY, "the generation")?,
    }
    Ok(least.unwrap_or_default())
}

/// The generation of a rank, if its key can be read.
fn generation_of(key: &[u8]) -> Option<u32> {
    let ([a, b, c, d, kind], name) = key.split_first_chunk()?;
    let is_key = match *kind {
        kind if kind == RankKind::Page as u8 => Surt::bytes_to_url(name).is_ok(),
        kind if kind == RankKind::Host as u8 || kind == RankKind::Domain as u8 => {
            !name.is_empty() && name.is_ascii()
        }
        _ => false,
    };
    is_key.then(|| u32::from_be_bytes([*a, *b, *c, *d]))
}
