//! The read side: one consistent state, read by scope in key order.

use rocksdb::{ColumnFamily, DB, DBRawIteratorWithThreadMode, SnapshotWithThreadMode};

use crate::model::{BacklinkRecord, OutlinkRecord, SearchRank, StoredPage};
use crate::urls::{CanonicalUrl, Scope, Surt, host_prefix};

use super::codec::Damage;
use super::keys::{after_prefix, split_backlink, split_pair};
use super::ranks::{GENERATION_KEY, RankKind, decode_generation, decode_rank};
use super::schema::{BACKLINKS, META, OUTLINKS, PAGES, PAIRS, RANKS, bounded, decode_sums};
use super::{Store, StoreError, outlinks_from, page_from, ranks, values};

/// One consistent state of the database; cheap to take, and kept from being cleaned up while it lives.
pub struct Snapshot<'a> {
    store: &'a Store,
    state: SnapshotWithThreadMode<'a, DB>,
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

/// Active external links from one host to another, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    pub links: u64,
    pub nofollow: u64,
    /// With tag `a`.
    pub text: u64,
    /// With tag `aimg` or `area`.
    pub image: u64,
}

/// One host pair with active links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPair {
    pub target_host: String,
    pub source_host: String,
    pub counts: PairCounts,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, state: store.db.snapshot() }
    }

    /// All external links into the scope, active and not, in key order, strictly after the key `after`.
    pub fn backlinks(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<BacklinkRecord>> {
        self.scan(BACKLINKS, scope, after, |key, value| {
            values::decode_backlink(key, value).map(|value| Keyed { key: key.to_vec(), value })
        })
    }

    /// All visited pages of the scope, in key order, strictly after the key `after`. [`Self::outlinks`] gives
    /// their links.
    pub fn pages(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<(CanonicalUrl, StoredPage)>> {
        self.scan(PAGES, scope, after, |key, value| {
            let url = Surt::bytes_to_url(key).map_err(|_| Damage("the URL"))?;
            Ok(Keyed { key: key.to_vec(), value: (url, values::decode_page(value)?) })
        })
    }

    /// Host pairs with active links into a domain or into a host on all its ports. Other scopes have no pairs of
    /// their own: their backlinks must be counted.
    pub fn host_pairs(&self, scope: &Scope) -> Rows<'_, HostPair> {
        let prefixes = match scope {
            Scope::Url { .. } | Scope::Host { port: Some(_), .. } => Vec::new(),
            Scope::Host { host, port: None } => vec![[host_prefix(host), vec![0]].concat()],
            Scope::Domain { domain } => vec![host_prefix(domain)],
        };
        let rows = self.scan_prefixes(PAIRS, prefixes, scope.clone(), None, |key, value| {
            let (target, source) = split_pair(key)?;
            let host = |part| Surt::host_of(part).map_err(|_| Damage("a host"));
            let sums = decode_sums(PAIRS, key, value).map_err(|_| Damage("the counts"))?;
            Ok(HostPair {
                target_host: host(target)?,
                source_host: host(source)?,
                counts: values::pair_counts(&sums)?,
            })
        });
        Box::new(rows.filter(|row| row.as_ref().map_or(true, |pair| pair.counts.links > 0)))
    }

    /// One page, if it was ever visited.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page(&self, url: &CanonicalUrl) -> Result<Option<StoredPage>, StoreError> {
        let key = Surt::from(url);
        page_from(key.as_bytes(), self.state.get_pinned_cf(self.store.family(PAGES)?, key.as_bytes())?)
    }

    /// All links of one page: the active ones in order of position, then the inactive ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn outlinks(&self, url: &CanonicalUrl) -> Result<Vec<OutlinkRecord>, StoreError> {
        let key = Surt::from(url);
        let value = self.state.get_pinned_cf(self.store.family(OUTLINKS)?, key.as_bytes())?;
        outlinks_from(url, key.as_bytes(), value)
    }

    /// Every visited page with its active links, in key order: the graph.
    pub fn graph(&self) -> Rows<'_, PageLinks> {
        let family = match self.store.family(PAGES) {
            Ok(family) => family,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let mut cursor = self.cursor(family, None);
        cursor.seek_to_first();
        let pages = Walk {
            cursor,
            family: PAGES,
            started: false,
            decode: |key: &[u8], value: &[u8]| {
                let url = Surt::bytes_to_url(key).map_err(|_| Damage("the URL"))?;
                Ok((url, values::decode_page(value)?))
            },
        };
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
        let generation = self.state.get_pinned_cf(self.store.family(META)?, GENERATION_KEY)?;
        let key = ranks::key(decode_generation(generation.as_deref())?, kind, name);
        let value = self.state.get_pinned_cf(self.store.family(RANKS)?, &key)?;
        decode_rank(&key, value.as_deref())
    }

    fn cursor(&self, family: &ColumnFamily, end: Option<Vec<u8>>) -> DBRawIteratorWithThreadMode<'_, DB> {
        let mut options = bounded(end);
        options.set_readahead_size(0);
        self.state.raw_iterator_cf_opt(family, options)
    }

    fn scan<T: 'a>(
        &self,
        family: &'static str,
        scope: &Scope,
        after: Option<&[u8]>,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + Copy + 'a,
    ) -> Rows<'_, T> {
        self.scan_prefixes(
            family,
            scope.key_prefixes(&self.store.suffixes),
            scope.clone(),
            after.map(<[u8]>::to_vec),
            decode,
        )
    }

    /// Walks the prefixes one after the other, leaving out hosts that the scope does not hold.
    fn scan_prefixes<T: 'a>(
        &self,
        name: &'static str,
        prefixes: Vec<Vec<u8>>,
        scope: Scope,
        after: Option<Vec<u8>>,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + Copy + 'a,
    ) -> Rows<'_, T> {
        let family = match self.store.family(name) {
            Ok(family) => family,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        Box::new(prefixes.into_iter().flat_map(move |prefix| {
            let mut cursor = self.cursor(family, after_prefix(&prefix));
            match &after {
                Some(after) if *after >= prefix => {
                    cursor.seek(after);
                    if cursor.key() == Some(after) {
                        cursor.next();
                    }
                }
                _ => cursor.seek(&prefix),
            }
            let walk = Walk { cursor, family: name, started: false, decode };
            ScopeWalk { walk, store: self.store, scope: scope.clone(), host: Vec::new() }
        }))
    }
}

/// A cursor that decodes what it passes. It stands on its first row before it is started.
struct Walk<'a, F> {
    cursor: DBRawIteratorWithThreadMode<'a, DB>,
    family: &'static str,
    started: bool,
    decode: F,
}

impl<T, F: Fn(&[u8], &[u8]) -> Result<T, Damage>> Walk<'_, F> {
    /// Steps on; tells whether there is a row.
    fn step(&mut self) -> Result<bool, StoreError> {
        if self.started && self.cursor.valid() {
            self.cursor.next();
        }
        self.started = true;
        if self.cursor.valid() {
            return Ok(true);
        }
        self.cursor.status()?;
        Ok(false)
    }

    fn row(&self) -> Option<Result<T, StoreError>> {
        let (key, value) = self.cursor.item()?;
        Some((self.decode)(key, value).map_err(|damage| StoreError::damaged(self.family, key, damage.0)))
    }
}

impl<T, F: Fn(&[u8], &[u8]) -> Result<T, Damage>> Iterator for Walk<'_, F> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(true) => self.row(),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// A walk over one prefix of a scope, past the hosts in between that belong to other domains.
struct ScopeWalk<'a, F> {
    walk: Walk<'a, F>,
    store: &'a Store,
    scope: Scope,
    /// The sortable form of the last host that was found to belong to the scope.
    host: Vec<u8>,
}

impl<T, F: Fn(&[u8], &[u8]) -> Result<T, Damage>> ScopeWalk<'_, F> {
    /// Whether the row belongs; if not, moves the cursor to the end of the foreign domain.
    fn belongs(&mut self) -> Result<bool, StoreError> {
        let Some(key) = self.walk.cursor.key() else { return Ok(true) };
        let part = Surt::host_part(key_host(self.walk.family, key));
        if !self.host.is_empty() && self.host == part {
            return Ok(true);
        }
        let host = Surt::host_of(part).map_err(|_| StoreError::damaged(self.walk.family, key, "the host"))?;
        if self.scope.holds_host(&host, &self.store.suffixes) {
            self.host = part.to_vec();
            return Ok(true);
        }
        let foreign = host_prefix(self.store.suffixes.domain_of(&host));
        if let Some(next) = after_prefix(&foreign) {
            self.walk.cursor.seek(next);
            self.walk.started = false;
        }
        Ok(false)
    }
}

/// The part of a key that begins with the scope's host.
fn key_host<'k>(family: &'static str, key: &'k [u8]) -> &'k [u8] {
    match family {
        BACKLINKS => split_backlink(key).map_or(key, |(target, ..)| target),
        PAIRS => split_pair(key).map_or(key, |(target, _)| target),
        _ => key,
    }
}

impl<T, F: Fn(&[u8], &[u8]) -> Result<T, Damage>> Iterator for ScopeWalk<'_, F> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.walk.step() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            match self.belongs() {
                Ok(true) => return self.walk.row(),
                Ok(false) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
