//! Walking a column family in key order, within a scope.
//!
//! A [`ScopeCursor`] moves from row to row and lends what it stands on; [`Snapshot::rows`] decodes each row for
//! those who want them one by one. Rows of other domains that stand among those of the scope are left out, without
//! being read.

use rocksdb::{DB, DBRawIteratorWithThreadMode, ReadOptions};

use crate::urls::{Scope, Surt, host_prefix};

use super::codec::Damage;
use super::keys::{after_prefix, split_backlink, split_pair};
use super::schema::{BACKLINKS, PAIRS, REFERRALS, bounded};
use super::{Rows, Snapshot, StoreError};

/// What is walked over, and from where.
pub(super) struct Walk {
    pub family: &'static str,
    /// In key order. All keys that start so are walked over.
    pub prefixes: Vec<Vec<u8>>,
    /// Leaves out hosts that the scope does not hold; without one, all is walked over.
    pub scope: Option<Scope>,
    /// Only what comes strictly after this key.
    pub after: Option<Vec<u8>>,
    pub reading: Reading,
}

/// How blocks are read off the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A few rows, which may be asked for again: their blocks are kept in memory.
    Browse,
    /// All rows, which will not be asked for again soon: read ahead, and other people's blocks left in memory.
    Through,
}

/// Bytes read ahead of a cursor that goes through all rows, though never beyond its last: one disk access for some
/// ten thousand rows.
const READ_AHEAD: usize = 2 << 20;

/// A cursor over the rows of a [`Walk`]. It stands before the first until it is moved.
pub(super) struct ScopeCursor<'s> {
    snapshot: &'s Snapshot<'s>,
    family: &'static str,
    prefixes: std::vec::IntoIter<Vec<u8>>,
    scope: Option<Scope>,
    after: Option<Vec<u8>>,
    reading: Reading,
    /// In the current prefix; none before the first and after the last.
    inner: Option<DBRawIteratorWithThreadMode<'s, DB>>,
    /// Whether the row under the cursor was lent already.
    passed: bool,
    /// The sortable form of the last host that was found to belong to the scope.
    host: Vec<u8>,
}

impl<'s> ScopeCursor<'s> {
    pub fn new(snapshot: &'s Snapshot<'s>, walk: Walk) -> Self {
        Self {
            snapshot,
            family: walk.family,
            prefixes: walk.prefixes.into_iter(),
            scope: walk.scope,
            after: walk.after,
            reading: walk.reading,
            inner: None,
            passed: false,
            host: Vec::new(),
        }
    }

    /// Moves to the next row; tells whether there is one. An error ends the rows.
    pub fn advance(&mut self) -> Result<bool, StoreError> {
        let moved = self.try_advance();
        if moved.is_err() {
            self.end();
        }
        moved
    }

    /// No row comes any more.
    pub fn end(&mut self) {
        self.prefixes = Vec::new().into_iter();
        self.inner = None;
    }

    /// Key and value of the row under the cursor.
    pub fn row(&self) -> Option<(&[u8], &[u8])> {
        self.inner.as_ref().and_then(DBRawIteratorWithThreadMode::item)
    }

    fn try_advance(&mut self) -> Result<bool, StoreError> {
        loop {
            let Some(inner) = &mut self.inner else {
                let Some(prefix) = self.prefixes.next() else { return Ok(false) };
                self.inner = Some(self.open(&prefix)?);
                self.passed = false;
                continue;
            };
            if self.passed {
                inner.next();
            }
            self.passed = true;
            let Some(key) = inner.key() else {
                inner.status()?;
                self.inner = None;
                continue;
            };
            match foreign(self.snapshot, self.family, self.scope.as_ref(), &mut self.host, key)? {
                None => return Ok(true),
                Some(next) => {
                    inner.seek(next);
                    self.passed = false;
                }
            }
        }
    }

    fn open(&self, prefix: &[u8]) -> Result<DBRawIteratorWithThreadMode<'s, DB>, StoreError> {
        let family = self.snapshot.store.family(self.family)?;
        let options = self.reading.options(after_prefix(prefix));
        let mut inner = self.snapshot.state.raw_iterator_cf_opt(family, options);
        match &self.after {
            Some(after) if after.as_slice() >= prefix => {
                inner.seek(after);
                if inner.key() == Some(after) {
                    inner.next();
                }
            }
            _ => inner.seek(prefix),
        }
        Ok(inner)
    }
}

impl Reading {
    /// For keys before `end`.
    pub fn options(self, end: Option<Vec<u8>>) -> ReadOptions {
        let mut options = bounded(end);
        if self == Self::Through {
            options.fill_cache(false);
            options.set_readahead_size(READ_AHEAD);
        }
        options
    }
}

/// Where the next row may be that belongs to the scope, if the row under this key does not. `host` remembers the
/// last host that did.
fn foreign(
    snapshot: &Snapshot<'_>,
    family: &'static str,
    scope: Option<&Scope>,
    host: &mut Vec<u8>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    // Of other scopes, a prefix holds nothing foreign.
    let Some(scope @ Scope::Domain { .. }) = scope else { return Ok(None) };
    let is_known =
        !host.is_empty() && key.starts_with(host) && matches!(key.get(host.len()), Some(b')' | b':' | 0));
    if is_known {
        return Ok(None);
    }
    let part = Surt::host_part(key_host(family, key));
    let name = Surt::host_of(part).map_err(|_| StoreError::damaged(family, key, "the host"))?;
    let suffixes = &snapshot.store.suffixes;
    if scope.holds_host(&name, suffixes) {
        host.clear();
        host.extend_from_slice(part);
        return Ok(None);
    }
    Ok(after_prefix(&host_prefix(suffixes.domain_of(&name))))
}

/// The part of a key that begins with the scope's host.
fn key_host<'k>(family: &'static str, key: &'k [u8]) -> &'k [u8] {
    match family {
        BACKLINKS => split_backlink(key).map_or(key, |(target, ..)| target),
        PAIRS | REFERRALS => split_pair(key).map_or(key, |(first, _)| first),
        _ => key,
    }
}

impl Snapshot<'_> {
    /// The rows of a walk, decoded one by one.
    pub(super) fn rows<'s, T: 's>(
        &'s self,
        walk: Walk,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + 's,
    ) -> Rows<'s, T> {
        let mut cursor = ScopeCursor::new(self, walk);
        Box::new(std::iter::from_fn(move || {
            match cursor.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            let (key, value) = cursor.row()?;
            let row = decode(key, value);
            let row = row.map_err(|damage| StoreError::damaged(cursor.family, key, damage.0));
            if row.is_err() {
                cursor.end();
            }
            Some(row)
        }))
    }

    /// The rows of a scope, likewise, strictly after the key `after`.
    pub(super) fn rows_of<'s, T: 's>(
        &'s self,
        family: &'static str,
        scope: &Scope,
        after: Option<&[u8]>,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + 's,
    ) -> Rows<'s, T> {
        let walk = Walk {
            family,
            prefixes: scope.key_prefixes(&self.store.suffixes),
            scope: Some(scope.clone()),
            after: after.map(<[u8]>::to_vec),
            reading: Reading::Browse,
        };
        self.rows(walk, decode)
    }
}
