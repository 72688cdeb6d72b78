//! Every rank can be decoded: its generation, kind and name, and a value that a computation produces. The current
//! generation can be decoded, and has ranks if any generation has.
//!
//! An interrupted computation leaves ranks of the next generation. An interrupted publication leaves ranks of the
//! previous one. No query reads them, and the next computation deletes them. There are no other generations. It cannot
//! be decided whether the current generation must have ranks, because ranks of zero are not stored.

use crate::model::SearchRank;
use crate::store::StoreError;
use crate::store::db::schema::{META, RANKS};
use crate::store::verify::VerifyContext;
use crate::store::write::ranks::{
    GENERATION_KEY, RankKind, decode_generation, decode_rank, encode_generation,
};
use crate::urls::Surt;

use super::ConsistencyCheck;

pub(super) struct RankCheck;

impl ConsistencyCheck for RankCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        let current = current_generation(context)?;
        let own = current.saturating_sub(1)..=current.saturating_add(1);
        context.for_each_row(RANKS, "reading ranks", &mut |context, key, value| {
            let Some(generation) = generation_of(key) else {
                return context.remove_unreadable(RANKS, key, "the key");
            };
            if !own.contains(&generation) {
                context.report.add(RANKS, "ranks of no computation", key);
                return context.repair.delete(RANKS, key);
            }
            match decode_rank(value) {
                Ok(rank) if SearchRank::default() < rank && rank <= SearchRank::MAX => Ok(()),
                _ => context.remove_unreadable(RANKS, key, "the rank"),
            }
        })
    }
}

/// The current generation. If it is unreadable, or has no ranks while another generation has, the lowest generation
/// with ranks replaces it: its computation was finished, because no later one could have begun otherwise.
fn current_generation(context: &mut VerifyContext<'_>) -> Result<u32, StoreError> {
    let value = context.snapshot.get(META, GENERATION_KEY)?;
    let stored = decode_generation(value.as_deref());
    let mut cursor = context.cursor(RANKS)?;
    while cursor.key().is_some_and(|key| generation_of(key).is_none()) {
        cursor.next();
    }
    let least = cursor.key().and_then(generation_of);
    if let Ok(current) = stored {
        cursor.seek(current.to_be_bytes());
        let has_ranks = cursor.key().is_some_and(|key| key.starts_with(&current.to_be_bytes()));
        // Ranks of only the next generation belong to an interrupted computation.
        if has_ranks || least.is_none_or(|least| least == current.wrapping_add(1)) {
            cursor.status()?;
            return Ok(current);
        }
    }
    cursor.status()?;
    let what =
        if stored.is_ok() { "a generation of ranks that has none" } else { "rows that cannot be read" };
    context.report.add(META, what, GENERATION_KEY);
    match least {
        Some(least) => context.repair.put(META, GENERATION_KEY, &encode_generation(least))?,
        None => context.repair.remove_damaged(META, GENERATION_KEY, "the generation")?,
    }
    Ok(least.unwrap_or_default())
}

/// The generation of a rank, if its key is valid.
fn generation_of(key: &[u8]) -> Option<u32> {
    let ([a, b, c, d, kind], name) = key.split_first_chunk()?;
    let is_key = match RankKind::from_code(*kind)? {
        RankKind::Page => Surt::bytes_to_url(name).is_ok(),
        RankKind::Host | RankKind::Domain => !name.is_empty() && name.is_ascii(),
    };
    is_key.then(|| u32::from_be_bytes([*a, *b, *c, *d]))
}
