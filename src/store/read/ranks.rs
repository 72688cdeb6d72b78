//! Reads the current ranks.

use crate::model::SearchRank;
use crate::store::db::schema::{META, RANKS};
use crate::store::write::ranks::{GENERATION_KEY, RankKind, decode_generation, decode_rank, rank_key};
use crate::store::{Snapshot, StoreError};
use crate::urls::{CanonicalUrl, Surt};

impl Snapshot<'_> {
    /// The generation of the current ranks: each published computation has another one; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the number is damaged.
    pub fn rank_generation(&self) -> Result<u32, StoreError> {
        decode_generation(self.get(META, GENERATION_KEY)?.as_deref())
    }

    /// The rank of a page; 0 if unknown.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page_rank(&self, url: &CanonicalUrl) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Page, Surt::from(url).as_bytes())
    }

    /// The rank of a host; 0 if unknown.
    ///
    /// # Errors
    /// As [`Self::page_rank`].
    pub fn host_rank(&self, host: &str) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Host, host.as_bytes())
    }

    /// The rank of a registrable domain; 0 if unknown.
    ///
    /// # Errors
    /// As [`Self::page_rank`].
    pub fn domain_rank(&self, domain: &str) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Domain, domain.as_bytes())
    }

    fn rank(&self, kind: RankKind, name: &[u8]) -> Result<SearchRank, StoreError> {
        let key = rank_key(self.rank_generation()?, kind, name);
        let Some(value) = self.get(RANKS, &key)? else { return Ok(SearchRank::default()) };
        decode_rank(&value).map_err(|damage| StoreError::damaged(RANKS, &key, damage.0))
    }
}
