//! Every rank can be read: its generation, its kind, its name, and a value that a computation gives.
//!
//! Ranks of other generations than the current one are what a computation that was cut off left; nobody reads them.

use super::super::StoreError;
use super::super::ranks::{RankKind, decode_rank};
use super::super::schema::RANKS;
use super::{Check, Work};
use crate::model::SearchRank;
use crate::urls::Surt;

pub(super) struct Ranks;

impl Check for Ranks {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        work.each_row(RANKS, "reading ranks", &mut |work, key, value| {
            if !is_key(key) {
                return work.unreadable(RANKS, key, "the key");
            }
            match decode_rank(value) {
                Ok(rank) if SearchRank::default() < rank && rank <= SearchRank::MAX => Ok(()),
                _ => work.unreadable(RANKS, key, "the rank"),
            }
        })
    }
}

fn is_key(key: &[u8]) -> bool {
    let Some((prefix, name)) = key.split_first_chunk::<5>() else { return false };
    let is_name = || !name.is_empty() && name.is_ascii();
    match prefix[4] {
        kind if kind == RankKind::Page as u8 => Surt::bytes_to_url(name).is_ok(),
        kind if kind == RankKind::Host as u8 || kind == RankKind::Domain as u8 => is_name(),
        _ => false,
    }
}
