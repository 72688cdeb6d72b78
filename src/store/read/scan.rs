//! Range scans of a column family in key order, within a scope.
//!
//! A [`ScopeCursor`] moves from row to row and lends the current row. [`Snapshot::rows`] decodes each row. Rows of
//! other domains between those of the scope are skipped by a seek, without being read.

use crate::store::codec::keys::{after_prefix, split_backlink_key, split_pair_key};
use crate::store::codec::varint::Damage;
use crate::store::db::rows::{ReadPattern, RowCursor};
use crate::store::db::schema::{BACKLINKS, PAIRS, REFERRALS};
use crate::store::{Rows, Snapshot, StoreError};
use crate::urls::{Scope, Surt, host_prefix};

/// The range of a scan.
pub(in crate::store) struct ScanRange {
    pub family: &'static str,
    /// Prefixes in key order. The scan covers all keys with one of them.
    pub prefixes: Vec<Vec<u8>>,
    /// Skips hosts outside this scope. Without a scope, nothing is skipped.
    pub scope: Option<Scope>,
    /// The scan starts strictly after this key.
    pub after: Option<Vec<u8>>,
    pub pattern: ReadPattern,
}

/// A cursor over the rows of a [`ScanRange`]. It starts before the first row.
pub(in crate::store) struct ScopeCursor<'s> {
    snapshot: &'s Snapshot<'s>,
    family: &'static str,
    prefixes: std::vec::IntoIter<Vec<u8>>,
    scope: Option<Scope>,
    after: Option<Vec<u8>>,
    pattern: ReadPattern,
    /// The iterator of the current prefix. `None` before the first and after the last prefix.
    inner: Option<RowCursor<'s>>,
    /// Whether the current row was returned already.
    consumed: bool,
    /// The host part of the last host in the scope, as in a SURT.
    host: Vec<u8>,
}

impl<'s> ScopeCursor<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot<'s>, range: ScanRange) -> Self {
        Self {
            snapshot,
            family: range.family,
            prefixes: range.prefixes.into_iter(),
            scope: range.scope,
            after: range.after,
            pattern: range.pattern,
            inner: None,
            consumed: false,
            host: Vec::new(),
        }
    }

    /// Moves to the next row. Returns whether there is one. An error ends the scan.
    pub(crate) fn advance(&mut self) -> Result<bool, StoreError> {
        let moved = self.try_advance();
        if moved.is_err() {
            self.end();
        }
        moved
    }

    /// Ends the scan.
    pub(crate) fn end(&mut self) {
        self.prefixes = Vec::new().into_iter();
        self.inner = None;
    }

    /// Key and value of the current row.
    pub(crate) fn row(&self) -> Option<(&[u8], &[u8])> {
        self.inner.as_ref().and_then(RowCursor::item)
    }

    fn try_advance(&mut self) -> Result<bool, StoreError> {
        loop {
            let Some(inner) = &mut self.inner else {
                let Some(prefix) = self.prefixes.next() else { return Ok(false) };
                self.inner = Some(self.open(&prefix)?);
                self.consumed = false;
                continue;
            };
            if self.consumed {
                inner.next();
            }
            self.consumed = true;
            let Some(key) = inner.key() else {
                inner.status()?;
                self.inner = None;
                continue;
            };
            match skip_target(self.snapshot, self.family, self.scope.as_ref(), &mut self.host, key)? {
                None => return Ok(true),
                Some(next) => {
                    inner.seek(next);
                    self.consumed = false;
                }
            }
        }
    }

    fn open(&self, prefix: &[u8]) -> Result<RowCursor<'s>, StoreError> {
        let mut inner = self.snapshot.cursor(self.family, self.pattern, after_prefix(prefix))?;
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

/// The key to seek to if the row under `key` is outside the scope. `host` caches the last host inside.
fn skip_target(
    snapshot: &Snapshot<'_>,
    family: &'static str,
    scope: Option<&Scope>,
    host: &mut Vec<u8>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let scope = match scope {
        Some(scope @ Scope::Domain { .. }) => scope,
        Some(Scope::Prefix { path, .. }) => return Ok(path.skip_from(key)),
        // The prefixes of other scopes contain nothing foreign.
        Some(Scope::Url { .. } | Scope::Host { .. }) | None => return Ok(None),
    };
    let is_known =
        !host.is_empty() && key.starts_with(host) && matches!(key.get(host.len()), Some(b')' | b':' | 0));
    if is_known {
        return Ok(None);
    }
    let part = Surt::host_part(key_host(family, key));
    let name = Surt::decode_host(part).map_err(|_| StoreError::damaged(family, key, "the host"))?;
    let suffixes = &snapshot.store.suffixes;
    if scope.holds_host(&name, suffixes) {
        host.clear();
        host.extend_from_slice(part);
        return Ok(None);
    }
    Ok(after_prefix(&host_prefix(suffixes.domain_of(&name))))
}

/// The part of a key that begins with the host of the scope.
fn key_host<'k>(family: &'static str, key: &'k [u8]) -> &'k [u8] {
    match family {
        BACKLINKS => split_backlink_key(key).map_or(key, |(target, ..)| target),
        PAIRS | REFERRALS => split_pair_key(key).map_or(key, |(first, _)| first),
        _ => key,
    }
}

impl Snapshot<'_> {
    /// The rows of a range, decoded one by one.
    pub(in crate::store) fn rows<'s, T: 's>(
        &'s self,
        range: ScanRange,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + 's,
    ) -> Rows<'s, T> {
        let mut cursor = ScopeCursor::new(self, range);
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

    /// The rows of a scope, decoded one by one, strictly after the key `after`.
    pub(in crate::store) fn rows_of<'s, T: 's>(
        &'s self,
        family: &'static str,
        scope: &Scope,
        after: Option<&[u8]>,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, Damage> + 's,
    ) -> Rows<'s, T> {
        let range = ScanRange {
            family,
            prefixes: scope.key_prefixes(&self.store.suffixes),
            scope: Some(scope.clone()),
            after: after.map(<[u8]>::to_vec),
            pattern: ReadPattern::Random,
        };
        self.rows(range, decode)
    }
}
