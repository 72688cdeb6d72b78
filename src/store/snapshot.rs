//! The read side: one consistent state, read by scope in key order.

use rocksdb::{DB, DBPinnableSlice, SnapshotWithThreadMode};

use crate::model::{BacklinkRecord, OutlinkRecord, SearchRank, StoredPage};
use crate::urls::{CanonicalUrl, Scope, Surt};

use super::codec::Damage;
use super::ranks::{RankKind, decode_rank};
use super::schema::{BACKLINKS, OUTLINKS, PAGES, RANKS};
use super::walk::{Reading, Walk};
use super::{Store, StoreError, outlinks_from, page_from, ranks, values};

/// One consistent state of the database; cheap to take, and kept from being cleaned up while it lives.
pub struct Snapshot<'a> {
    pub(super) store: &'a Store,
    pub(super) state: SnapshotWithThreadMode<'a, DB>,
}

/// Rows read one by one; an error ends them.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'a>;

/// A row with the key it is stored under: the place to read on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<T> {
    pub key: Vec<u8>,
    pub value: T,
}

/// A visited page with its active links, in order of position.
#[derive(Clone, Debug, PartialEq)]
pub struct PageLinks {
    pub url: CanonicalUrl,
    pub page: StoredPage,
    pub links: Vec<OutlinkRecord>,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, state: store.db.snapshot() }
    }

    /// All external links into the scope, active and not, in key order, strictly after the key `after`.
    pub fn backlinks(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<BacklinkRecord>> {
        self.rows_of(BACKLINKS, scope, after, |key, value| {
            values::decode_backlink(key, value).map(|value| Keyed { key: key.to_vec(), value })
        })
    }

    /// All visited pages of the scope, in key order, strictly after the key `after`. [`Self::outlinks`] gives
    /// their links.
    pub fn pages(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<(CanonicalUrl, StoredPage)>> {
        self.rows_of(PAGES, scope, after, |key, value| {
            Ok(Keyed { key: key.to_vec(), value: decode_row(key, value)? })
        })
    }

    /// One page, if it was ever visited.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page(&self, url: &CanonicalUrl) -> Result<Option<StoredPage>, StoreError> {
        let key = Surt::from(url);
        page_from(key.as_bytes(), self.get(PAGES, key.as_bytes())?)
    }

    /// All links of one page: the active ones in order of position, then the inactive ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn outlinks(&self, url: &CanonicalUrl) -> Result<Vec<OutlinkRecord>, StoreError> {
        let key = Surt::from(url);
        outlinks_from(url, key.as_bytes(), self.get(OUTLINKS, key.as_bytes())?)
    }

    /// Every visited page with its active links, in key order: the graph.
    pub fn graph(&self) -> Rows<'_, PageLinks> {
        let walk = Walk {
            family: PAGES,
            prefixes: vec![Vec::new()],
            scope: None,
            after: None,
            reading: Reading::Browse,
        };
        let pages = self.rows(walk, decode_row);
        Box::new(pages.map(|row| {
            let (url, page) = row?;
            let mut links = self.outlinks(&url)?;
            links.retain(OutlinkRecord::is_active);
            Ok(PageLinks { url, page, links })
        }))
    }

    /// 0 where unknown.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page_rank(&self, url: &CanonicalUrl) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Page, Surt::from(url).as_bytes())
    }

    /// 0 where unknown.
    ///
    /// # Errors
    /// As [`Self::page_rank`].
    pub fn host_rank(&self, host: &str) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Host, host.as_bytes())
    }

    /// 0 where unknown.
    ///
    /// # Errors
    /// As [`Self::page_rank`].
    pub fn domain_rank(&self, domain: &str) -> Result<SearchRank, StoreError> {
        self.rank(RankKind::Domain, domain.as_bytes())
    }

    fn rank(&self, kind: RankKind, name: &[u8]) -> Result<SearchRank, StoreError> {
        let key = ranks::key(self.rank_generation()?, kind, name);
        let Some(value) = self.get(RANKS, &key)? else { return Ok(SearchRank::default()) };
        decode_rank(&value).map_err(|damage| StoreError::damaged(RANKS, &key, damage.0))
    }

    pub(super) fn get(
        &self,
        family: &'static str,
        key: &[u8],
    ) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        Ok(self.state.get_pinned_cf(self.store.family(family)?, key)?)
    }
}

fn decode_row(key: &[u8], value: &[u8]) -> Result<(CanonicalUrl, StoredPage), Damage> {
    let url = Surt::bytes_to_url(key).map_err(|_| Damage("the URL"))?;
    Ok((url, values::decode_page(value)?))
}
