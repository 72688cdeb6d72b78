//! Ranks, generation by generation: a finished computation is written beside the current one, which is then
//! replaced in one step. Whoever reads a snapshot sees one generation whole.

use std::sync::PoisonError;

use rocksdb::WriteBatch;

use crate::model::SearchRank;
use crate::urls::{CanonicalUrl, Surt};

use super::changes::ChangedDomains;
use super::codec::{Damage, Reader, put_varint};
use super::schema::{META, RANKS};
use super::{Store, StoreError};

pub(super) const GENERATION_KEY: &[u8] = b"rank-generation";

/// What a rank is of: the byte after the generation.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum RankKind {
    Page = 0,
    Host = 1,
    Domain = 2,
}

/// Ranks put into one write.
const CHUNK: usize = 10_000;

pub(super) fn key(generation: u32, kind: RankKind, name: &[u8]) -> Vec<u8> {
    [&key_prefix(generation, kind), name].concat()
}

/// What all keys of one generation and kind begin with.
pub(super) fn key_prefix(generation: u32, kind: RankKind) -> [u8; 5] {
    let [a, b, c, d] = generation.to_be_bytes();
    [a, b, c, d, kind as u8]
}

pub(super) fn decode_generation(value: Option<&[u8]>) -> Result<u32, StoreError> {
    value.map_or(Ok(0), |value| {
        let mut reader = Reader(value);
        let generation = reader.u32("the generation").and_then(|number| reader.end().map(|()| number));
        generation.map_err(|damage| StoreError::damaged(META, GENERATION_KEY, damage.0))
    })
}

pub(super) fn encode_generation(generation: u32) -> Vec<u8> {
    let mut value = Vec::new();
    put_varint(&mut value, u64::from(generation));
    value
}

pub(super) fn decode_rank(value: &[u8]) -> Result<SearchRank, Damage> {
    let bytes = value.try_into().map_err(|_| Damage("the rank"))?;
    Ok(SearchRank(u16::from_be_bytes(bytes)))
}

impl Store {
    /// Takes the ranks of a finished computation in, and makes them the current ones in one step. A computation
    /// that was cut off before that step leaves the current ones as they were.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn publish_ranks(
        &self,
        pages: &mut dyn Iterator<Item = (CanonicalUrl, SearchRank)>,
        hosts: &mut dyn Iterator<Item = (String, SearchRank)>,
        domains: &mut dyn Iterator<Item = (String, SearchRank)>,
    ) -> Result<(), StoreError> {
        let meta = self.family(META)?;
        let current = decode_generation(self.db.get_cf(meta, GENERATION_KEY)?.as_deref())?;
        let next = current.wrapping_add(1);
        // What a cut-off computation left of this generation.
        self.delete_generations(next, next.wrapping_add(1))?;
        let pages = pages.map(|(url, rank)| (key(next, RankKind::Page, Surt::from(&url).as_bytes()), rank));
        let hosts = hosts.map(|(host, rank)| (key(next, RankKind::Host, host.as_bytes()), rank));
        let domains = domains.map(|(domain, rank)| (key(next, RankKind::Domain, domain.as_bytes()), rank));
        self.write_ranks(&mut pages.chain(hosts).chain(domains))?;
        let mut batch = WriteBatch::default();
        batch.put_cf(meta, GENERATION_KEY, encode_generation(next));
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_numbered(batch, &ChangedDomains::default())?;
        drop(writer);
        // The former one, and what is left of earlier ones by whoever was killed here.
        self.delete_generations(0, next)
    }

    fn write_ranks(&self, ranks: &mut dyn Iterator<Item = (Vec<u8>, SearchRank)>) -> Result<(), StoreError> {
        let family = self.family(RANKS)?;
        let mut batch = WriteBatch::default();
        for (key, SearchRank(rank)) in ranks {
            // Zero is what an absent rank reads as, and most pages of the web have it.
            if rank == 0 {
                continue;
            }
            batch.put_cf(family, key, rank.to_be_bytes());
            if batch.len() >= CHUNK {
                self.write(std::mem::take(&mut batch))?;
            }
        }
        self.write(batch)
    }

    fn delete_generations(&self, from: u32, to: u32) -> Result<(), StoreError> {
        if from < to {
            self.db.delete_range_cf(self.family(RANKS)?, from.to_be_bytes(), to.to_be_bytes())?;
        }
        Ok(())
    }
}
