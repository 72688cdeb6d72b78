//! Counts: small values that are always of the present state of the store.

use std::sync::Arc;
use std::time::SystemTime;

use super::SearchIndexes;
use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKind, IndexKey, OtherData, ValueOrigin};
use crate::query::engine::fields::RowKind;
use crate::query::{Counts, Deadline, LinkCounts, QueryError, Scan, Selection};
use crate::store::Snapshot;

/// A count that the cache holds under a key of its own.
pub(super) trait CachedCount: Copy {
    const KIND: EntryKind;
    /// The rows whose changes outdate the count.
    const ROWS: RowKind;

    fn compute(scan: &Scan<'_>) -> Result<Self, QueryError>;

    fn into_value(self) -> CacheValue;

    /// The count in a cached value; `None` for a value of another kind.
    fn from_value(value: &CacheValue) -> Option<Self>;
}

impl CachedCount for Counts {
    const KIND: EntryKind = EntryKind::Counts;
    const ROWS: RowKind = RowKind::Backlinks;

    fn compute(scan: &Scan<'_>) -> Result<Self, QueryError> {
        scan.counts()
    }

    fn into_value(self) -> CacheValue {
        CacheValue::Counts(self)
    }

    fn from_value(value: &CacheValue) -> Option<Self> {
        match value {
            CacheValue::Counts(counts) => Some(*counts),
            _ => None,
        }
    }
}

impl CachedCount for LinkCounts {
    const KIND: EntryKind = EntryKind::LinkCounts;
    const ROWS: RowKind = RowKind::Pages;

    fn compute(scan: &Scan<'_>) -> Result<Self, QueryError> {
        scan.link_counts()
    }

    fn into_value(self) -> CacheValue {
        CacheValue::LinkCounts(self)
    }

    fn from_value(value: &CacheValue) -> Option<Self> {
        match value {
            CacheValue::LinkCounts(counts) => Some(*counts),
            _ => None,
        }
    }
}

impl SearchIndexes {
    /// The backlinks of a selection, counted by kind, in the present state of the store.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn counts(&self, selection: &Arc<Selection>, deadline: &Deadline) -> Result<Counts, QueryError> {
        self.current_count(selection, deadline)
    }

    /// The links on the pages of a scope, counted, in the present state of the store.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn link_counts(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<LinkCounts, QueryError> {
        self.current_count(selection, deadline)
    }

    /// A count, from the cache if it is current, otherwise from the store. A cached value of another kind is no count:
    /// it is replaced.
    fn current_count<C: CachedCount>(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<C, QueryError> {
        let cache = &self.cache;
        let valid_at = Some(cache.store.change_number());
        if let Some((Some(count), origin)) = self.cached_count(&IndexKey::new(selection, C::KIND))
            && origin.valid_at == valid_at
        {
            return Ok(count);
        }
        self.count_in(&cache.store.snapshot(), valid_at, selection, deadline)
    }

    /// As [`Self::current_count`], in the state of a snapshot. `valid_at` is the change number of the store before the
    /// snapshot was taken.
    pub(super) fn count_in<C: CachedCount>(
        &self,
        snapshot: &Snapshot<'_>,
        valid_at: Option<u64>,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<C, QueryError> {
        let cache = &self.cache;
        let key = IndexKey::new(selection, C::KIND);
        let dependencies = Dependencies { rows: C::ROWS, others: OtherData::Nothing };
        let version = cache.current_version(selection, dependencies, snapshot)?;
        let count = match self.cached_count(&key) {
            Some((Some(count), origin)) if origin.version == version => count,
            _ => C::compute(&Scan { snapshot, selection, suffixes: &cache.suffixes, deadline })?,
        };
        let origin = ValueOrigin { version, read_at: SystemTime::now(), valid_at };
        cache.insert(key, CacheEntry { value: count.into_value(), origin });
        Ok(count)
    }

    fn cached_count<C: CachedCount>(&self, key: &IndexKey) -> Option<(Option<C>, ValueOrigin)> {
        self.cache.memory().get(key).map(|entry| (C::from_value(&entry.value), entry.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_kind_is_no_count() {
        let links = LinkCounts { pages: 1, external: 2, internal: 3 };
        let backlinks = Counts { nofollow: 4, ..Counts::default() };
        assert_eq!(LinkCounts::from_value(&links.into_value()), Some(links));
        assert_eq!(Counts::from_value(&backlinks.into_value()), Some(backlinks));
        assert_eq!(Counts::from_value(&links.into_value()), None);
        assert_eq!(LinkCounts::from_value(&backlinks.into_value()), None);
    }
}
