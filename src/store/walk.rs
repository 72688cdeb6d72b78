//! Walking column families in key order: cursors that decode what they pass, and keep to a scope.

use rocksdb::{ColumnFamily, DB, DBRawIteratorWithThreadMode};

use crate::urls::{Scope, Surt, host_prefix};

use super::codec::Damage;
use super::keys::{after_prefix, split_backlink, split_pair};
use super::schema::{BACKLINKS, PAIRS, REFERRALS, bounded};
use super::{Rows, Snapshot, Store, StoreError};

impl<'a> Snapshot<'a> {
    pub(super) fn cursor(
        &self,
        family: &ColumnFamily,
        end: Option<Vec<u8>>,
    ) -> DBRawIteratorWithThreadMode<'_, DB> {
        let mut options = bounded(end);
        options.set_readahead_size(0);
        self.state.raw_iterator_cf_opt(family, options)
    }

    pub(super) fn scan<T: 'a>(
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
    pub(super) fn scan_prefixes<T: 'a>(
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
pub(super) struct Walk<'a, F> {
    pub cursor: DBRawIteratorWithThreadMode<'a, DB>,
    pub family: &'static str,
    pub started: bool,
    pub decode: F,
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
        PAIRS | REFERRALS => split_pair(key).map_or(key, |(first, _)| first),
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
