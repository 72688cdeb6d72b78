//! (signatures; being written)
#![allow(unused_variables, clippy::missing_errors_doc)]
use std::path::Path;
use std::sync::Arc;

use crate::config::StoreConfig;
use crate::model::{BacklinkRecord, OutlinkRecord, PageRecord, SearchRank, StoredPage};
use crate::urls::{CanonicalUrl, Scope, Suffixes};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0}")]
    Todo(String),
}

/// The database. Share it by `Arc`.
pub struct Store {}

/// One consistent state of the database; cheap to take.
pub struct Snapshot<'a> {
    _store: &'a Store,
}

/// A link of the graph: active, with its source's key bytes.
pub struct PageLinks {
    pub url: CanonicalUrl,
    pub page: StoredPage,
    /// Active links only, in order of position.
    pub links: Vec<OutlinkRecord>,
}

/// Rollup of all active external links from one host to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    pub links: u64,
    pub nofollow: u64,
    pub text: u64,
    pub image: u64,
}

/// One host pair with active links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPair {
    pub target_host: String,
    pub source_host: String,
    pub counts: PairCounts,
}

/// A row with the key it is stored under: the place to read on from.
pub struct Keyed<T> {
    pub key: Vec<u8>,
    pub value: T,
}

type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'a>;

impl Store {
    pub fn open(directory: &Path, config: &StoreConfig, suffixes: Arc<Suffixes>) -> Result<Self, StoreError> {
        todo!()
    }
    pub fn snapshot(&self) -> Snapshot<'_> {
        todo!()
    }
    /// Stores page records, one atomic batch for all.
    pub fn put(&self, records: &[PageRecord]) -> Result<(), StoreError> {
        todo!()
    }
    /// Takes the ranks of a finished computation in, and makes them the current ones in one step.
    /// Each iterator yields (URL or host or domain, rank), in any order.
    pub fn publish_ranks(
        &self,
        pages: &mut dyn Iterator<Item = (CanonicalUrl, SearchRank)>,
        hosts: &mut dyn Iterator<Item = (String, SearchRank)>,
        domains: &mut dyn Iterator<Item = (String, SearchRank)>,
    ) -> Result<(), StoreError> {
        todo!()
    }
    /// API users: name and argon2 hash.
    pub fn users(&self) -> Result<Vec<(String, String)>, StoreError> {
        todo!()
    }
    pub fn put_user(&self, name: &str, hash: &str) -> Result<(), StoreError> {
        todo!()
    }
    /// Whether the user was there.
    pub fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        todo!()
    }
    /// A random key made when the database was, for signing tokens.
    pub fn token_key(&self) -> Result<[u8; 32], StoreError> {
        todo!()
    }
}

impl<'a> Snapshot<'a> {
    /// All external links into the scope, active and not, in key order, strictly after the key `after`.
    pub fn backlinks(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<BacklinkRecord>> {
        todo!()
    }
    /// All visited pages of the scope, in key order, strictly after the key `after`. `outlinks` gives their links.
    pub fn pages(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<(CanonicalUrl, StoredPage)>> {
        todo!()
    }
    /// All links of one page, active and not, in order of position.
    pub fn outlinks(&self, url: &CanonicalUrl) -> Result<Vec<OutlinkRecord>, StoreError> {
        todo!()
    }
    /// Host pairs with active links into a host or domain scope (a URL scope has none: count its backlinks).
    pub fn host_pairs(&self, scope: &Scope) -> Rows<'_, HostPair> {
        todo!()
    }
    /// Every visited page with its active links, in key order: the graph.
    pub fn graph(&self) -> Rows<'_, PageLinks> {
        todo!()
    }
    /// 0 where unknown.
    pub fn page_rank(&self, url: &CanonicalUrl) -> Result<SearchRank, StoreError> {
        todo!()
    }
    pub fn host_rank(&self, host: &str) -> Result<SearchRank, StoreError> {
        todo!()
    }
    pub fn domain_rank(&self, domain: &str) -> Result<SearchRank, StoreError> {
        todo!()
    }
}
