//! Counts: small values that are always of the present state of the store.

use std::sync::Arc;
use std::time::SystemTime;

use super::cache::IndexCache;
use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ExtraDependency, ValueOrigin};
use super::{IndexAnswer, SearchIndexes};
use crate::query::engine::fields::RowKind;
use crate::query::state::PresentState;
use crate::query::{Counts, Deadline, LinkCounts, QueryError, Scan, Selection};

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
    pub fn counts(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<Counts>, QueryError> {
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
    ) -> Result<IndexAnswer<LinkCounts>, QueryError> {
        self.current_count(selection, deadline)
    }

    /// A count, from the cache if it is current, otherwise from the store. If the key holds another kind of value, the
    /// count replaces it.
    fn current_count<C: CachedCount>(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<C>, QueryError> {
        let cache = &self.cache;
        let current_at_change = Some(cache.store.change_number());
        if let Some((Some(count), origin)) = cache.count(&EntryKey::new(selection, C::KIND))
            && origin.current_at_change == current_at_change
        {
            return Ok(IndexAnswer::complete(count, &origin));
        }
        let present = self.present()?;
        let answer = cache.count_in(&present, selection, deadline)?;
        Ok(IndexAnswer { answer, is_complete: true, current: true, state: Some(present.state) })
    }

    /// The backlinks of a selection, counted by kind, in the state of a snapshot.
    ///
    /// # Errors
    /// As [`Self::counts`].
    pub fn counts_in(
        &self,
        present: &PresentState<'_>,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<Counts, QueryError> {
        self.cache.count_in(present, selection, deadline)
    }
}

impl IndexCache {
    /// A count in the state of a snapshot, from the cache if it is of the same version.
    pub(super) fn count_in<C: CachedCount>(
        &self,
        present: &PresentState<'_>,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<C, QueryError> {
        let PresentState { snapshot, current_at_change, state } = present;
        let key = EntryKey::new(selection, C::KIND);
        let dependencies = Dependencies { rows: C::ROWS, extra: ExtraDependency::None };
        let version = self.current_version(selection, dependencies, snapshot)?;
        let count = match self.count(&key) {
            Some((Some(count), origin)) if origin.version == version => count,
            _ => C::compute(&Scan { snapshot, selection, suffixes: &self.suffixes, deadline })?,
        };
        let origin = ValueOrigin {
            version,
            read_at: SystemTime::now(),
            current_at_change: Some(*current_at_change),
            state: Some(*state),
        };
        self.insert(key, CacheEntry { value: count.into_value(), origin });
        Ok(count)
    }

    fn count<C: CachedCount>(&self, key: &EntryKey) -> Option<(Option<C>, ValueOrigin)> {
        self.memory().get(key).map(|entry| (C::from_value(&entry.value), entry.origin))
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
