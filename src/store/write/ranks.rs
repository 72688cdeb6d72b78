//! Ranks, by generation. A finished computation is written beside the current generation, which it then replaces in
//! one step. A snapshot shows exactly one generation.

use crate::model::{SearchRank, stored_code};
use crate::store::codec::varint::{Damage, Reader, put_varint};
use crate::store::db::schema::{META, RANKS};
use crate::store::{Store, StoreError};
use crate::urls::{CanonicalUrl, Surt};

use super::change_numbers::ChangedDomains;

pub(in crate::store) const GENERATION_KEY: &[u8] = b"rank-generation";

/// The subject of a rank: the byte after the generation in the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum RankKind {
    Page = 0,
    Host = 1,
    Domain = 2,
}

impl RankKind {
    const ALL: [Self; 3] = [Self::Page, Self::Host, Self::Domain];
}

stored_code!(pub(crate) RankKind);

/// Ranks in one batch.
const RANKS_PER_BATCH: usize = 10_000;

pub(in crate::store) fn rank_key(generation: u32, kind: RankKind, name: &[u8]) -> Vec<u8> {
    [&key_prefix(generation, kind), name].concat()
}

/// The common prefix of all keys of one generation and kind.
pub(in crate::store) fn key_prefix(generation: u32, kind: RankKind) -> [u8; 5] {
    let [a, b, c, d] = generation.to_be_bytes();
    [a, b, c, d, kind.code()]
}

pub(in crate::store) fn decode_generation(value: Option<&[u8]>) -> Result<u32, StoreError> {
    value.map_or(Ok(0), |value| {
        let mut reader = Reader(value);
        let generation = reader.u32("the generation").and_then(|number| reader.end().map(|()| number));
        generation.map_err(|damage| StoreError::damaged(META, GENERATION_KEY, damage.0))
    })
}

pub(in crate::store) fn encode_generation(generation: u32) -> Vec<u8> {
    let mut value = Vec::new();
    put_varint(&mut value, u64::from(generation));
    value
}

pub(in crate::store) fn decode_rank(value: &[u8]) -> Result<SearchRank, Damage> {
    let bytes = value.try_into().map_err(|_| Damage("the rank"))?;
    Ok(SearchRank(u16::from_be_bytes(bytes)))
}

impl Store {
    /// Stores the ranks of a finished computation, and makes them current in one step. If it is interrupted before
    /// that step, the former ranks stay current.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn publish_ranks(
        &self,
        pages: &mut dyn Iterator<Item = (CanonicalUrl, SearchRank)>,
        hosts: &mut dyn Iterator<Item = (String, SearchRank)>,
        domains: &mut dyn Iterator<Item = (String, SearchRank)>,
    ) -> Result<(), StoreError> {
        let current = decode_generation(self.get(META, GENERATION_KEY)?.as_deref())?;
        let next = current.wrapping_add(1);
        // Ranks that an interrupted computation left under this generation.
        self.delete_generations(next, next.wrapping_add(1))?;
        let pages =
            pages.map(|(url, rank)| (rank_key(next, RankKind::Page, Surt::from(&url).as_bytes()), rank));
        let hosts = hosts.map(|(host, rank)| (rank_key(next, RankKind::Host, host.as_bytes()), rank));
        let domains =
            domains.map(|(domain, rank)| (rank_key(next, RankKind::Domain, domain.as_bytes()), rank));
        self.write_ranks(&mut pages.chain(hosts).chain(domains))?;
        let mut batch = self.batch();
        batch.put(META, GENERATION_KEY, encode_generation(next))?;
        let writer = self.lock_writes();
        self.write_numbered(batch, &ChangedDomains::default())?;
        drop(writer);
        // The former generation, and remains of earlier ones that an interrupted publication left.
        self.delete_generations(0, next)
    }

    fn write_ranks(&self, ranks: &mut dyn Iterator<Item = (Vec<u8>, SearchRank)>) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for (key, SearchRank(rank)) in ranks {
            // An absent rank reads as zero, and most pages of the web have rank zero.
            if rank == 0 {
                continue;
            }
            batch.put(RANKS, key, rank.to_be_bytes())?;
            if batch.len() >= RANKS_PER_BATCH {
                self.write(batch.take())?;
            }
        }
        self.write(batch)
    }

    fn delete_generations(&self, from: u32, to: u32) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut batch = self.batch();
        batch.delete_range(RANKS, &from.to_be_bytes(), &to.to_be_bytes())?;
        self.write_with_sync(batch, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_stored_codes() {
        for (kind, code) in [(RankKind::Page, 0), (RankKind::Host, 1), (RankKind::Domain, 2)] {
            assert_eq!((kind.code(), RankKind::from_code(code)), (code, Some(kind)));
        }
        assert_eq!(RankKind::from_code(3), None);
    }
}
