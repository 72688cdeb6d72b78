//! The cache of the search indexes, in memory and on disk. It decides whether a cached value may be used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::disk::DiskCache;
use super::entry::{
    BuiltSummary, CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ExtraDependency, Freshness,
    StoreVersion, ValueOrigin,
};
use super::file::IndexReader;
use super::{IndexedRows, ListQuery};
use crate::config::SearchConfig;
use crate::lru::Lru;
use crate::query::aggregates::statistics::BacklinkStatistics;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::lookup::SnapshotLookup;
use crate::query::state::{PresentState, StateClock};
use crate::query::{
    ColumnExpr, Coverage, Deadline, IndexState, Listing, QueryError, ScopeSummary, Selection, View,
    scope_rank,
};
use crate::store::{Snapshot, Store};
use crate::urls::Suffixes;

/// The cached values of all selections. Queries and builder threads share it.
pub(super) struct IndexCache {
    pub store: Arc<Store>,
    pub suffixes: Arc<Suffixes>,
    pub config: SearchConfig,
    pub memory: Mutex<Lru<EntryKey, CacheEntry>>,
    pub disk: DiskCache,
    pub states: Arc<StateClock>,
}

/// A computed view.
pub(super) struct ComputedView {
    pub view: View,
    /// The version of the other data that it depends on.
    pub extra: u64,
    /// The state that rows and other data are of; `None` if there is no such state.
    pub state: Option<IndexState>,
}

impl IndexCache {
    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, Lru<EntryKey, CacheEntry>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: EntryKey, entry: CacheEntry) {
        let bytes = entry.value.memory_bytes();
        if bytes <= self.config.memory_bytes {
            self.memory().insert(key, entry, bytes);
        }
    }

    /// Removes a file that cannot be read, and its value in memory, so that both are rebuilt.
    ///
    /// # Errors
    /// [`QueryError::Deadline`] when the deadline, and not the file, is the cause.
    pub(super) fn discard_file(&self, key: &EntryKey, error: &std::io::Error) -> Result<(), QueryError> {
        if error.kind() == std::io::ErrorKind::TimedOut {
            return Err(QueryError::Deadline);
        }
        self.disk.remove_damaged(key, error);
        self.memory().remove(key);
        Ok(())
    }

    /// The present version of the data that a selection's rows depend on.
    pub(super) fn current_version(
        &self,
        selection: &Selection,
        dependencies: Dependencies,
        snapshot: &Snapshot<'_>,
    ) -> Result<StoreVersion, QueryError> {
        let changes = snapshot.changes(selection.scope.domain(&self.suffixes))?;
        Ok(StoreVersion {
            rows: match dependencies.rows {
                RowKind::Backlinks => changes.incoming,
                _ => changes.outgoing,
            },
            ranks: snapshot.rank_generation()?,
            extra: dependencies.extra.last_change(changes, snapshot)?,
        })
    }

    /// Whether a value of this origin may be used.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn freshness(
        &self,
        selection: &Selection,
        dependencies: Dependencies,
        origin: ValueOrigin,
    ) -> Result<Freshness, QueryError> {
        let change_number = self.store.change_number();
        let snapshot = self.store.snapshot();
        if self.current_version(selection, dependencies, &snapshot)? == origin.version {
            return Ok(Freshness::Current { change_number, state: self.states.state_of(&snapshot)? });
        }
        Ok(Freshness::by_age(origin.read_at, self.config.refresh.0))
    }

    /// The entry of a key in memory, if it may be used. An empty value is used only while it is current: a scope that
    /// was discovered since then must not look empty any longer.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn get(
        &self,
        key: &EntryKey,
        dependencies: Dependencies,
    ) -> Result<Option<CacheEntry>, QueryError> {
        let change_number = self.store.change_number();
        let Some(mut entry) = self.memory().get(key).map(|entry| entry.clone()) else { return Ok(None) };
        if entry.origin.current_at_change == Some(change_number) {
            return Ok(Some(entry));
        }
        let freshness = self.freshness(&key.selection, dependencies, entry.origin)?;
        let Some(origin) = entry.origin.checked(freshness) else { return Ok(None) };
        if entry.value.is_empty() && !origin.is_current() {
            return Ok(None);
        }
        entry.origin = origin;
        if let Some(known) = self.memory().get(key)
            && known.origin.version == entry.origin.version
        {
            known.origin = entry.origin;
        }
        Ok(Some(entry))
    }

    /// The file of a key and its origin, if it may be used.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn open_file(
        &self,
        key: &EntryKey,
        dependencies: Dependencies,
    ) -> Result<Option<(IndexReader, ValueOrigin)>, QueryError> {
        let Some(reader) = self.disk.open_file(key) else { return Ok(None) };
        let metadata = reader.metadata();
        let origin = ValueOrigin::unchecked(metadata.version, metadata.read_at, metadata.state);
        let freshness = self.freshness(&key.selection, dependencies, origin)?;
        Ok(origin.checked(freshness).map(|origin| (reader, origin)))
    }

    /// Reads the present state.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn present(&self) -> Result<PresentState<'_>, QueryError> {
        let current_at_change = self.store.change_number();
        let snapshot = self.store.snapshot();
        let state = self.states.state_of(&snapshot)?;
        Ok(PresentState { snapshot, state, current_at_change })
    }

    /// The summary of a selection, if it is cached and may be used.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn summary(&self, selection: &Arc<Selection>) -> Result<Option<BuiltSummary>, QueryError> {
        let key = EntryKey::new(selection, EntryKind::Summary);
        Ok(match self.get(&key, Dependencies::SUMMARY)? {
            Some(CacheEntry { value: CacheValue::Summary(summary), origin })
                if !(origin.is_current() && summary.is_provisional()) =>
            {
                Some(BuiltSummary { summary, origin })
            }
            _ => None,
        })
    }

    pub(super) fn insert_summary(&self, selection: &Arc<Selection>, built: BuiltSummary) {
        let BuiltSummary { summary, origin } = built;
        let entry = CacheEntry { value: CacheValue::Summary(summary), origin };
        self.insert(EntryKey::new(selection, EntryKind::Summary), entry);
    }

    /// The summary in the state of a snapshot, with statistics of the same state.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub(super) fn summary_in(
        &self,
        present: &PresentState<'_>,
        selection: &Arc<Selection>,
        statistics: Option<Arc<BacklinkStatistics>>,
        deadline: &Deadline,
    ) -> Result<ScopeSummary, QueryError> {
        Ok(ScopeSummary {
            counts: self.count_in(present, selection, deadline)?,
            links: self.count_in(present, selection, deadline)?,
            rank: scope_rank(&present.snapshot, &selection.scope)?,
            coverage: Coverage::of(&selection.scope, &present.snapshot, deadline)?,
            statistics,
            state: present.state,
        })
    }

    /// As [`Self::summary_in`], with its origin. `read_at` is a time before the snapshot was taken.
    ///
    /// # Errors
    /// As [`Self::summary_in`].
    pub(super) fn build_summary(
        &self,
        present: &PresentState<'_>,
        selection: &Arc<Selection>,
        statistics: Arc<BacklinkStatistics>,
        read_at: SystemTime,
        deadline: &Deadline,
    ) -> Result<BuiltSummary, QueryError> {
        let version = self.current_version(selection, Dependencies::SUMMARY, &present.snapshot)?;
        let summary = Arc::new(self.summary_in(present, selection, Some(statistics), deadline)?);
        let (current_at_change, state) = (Some(present.current_at_change), Some(present.state));
        Ok(BuiltSummary { summary, origin: ValueOrigin { version, read_at, current_at_change, state } })
    }

    /// The statistics in memory, if they are of the version of the rows. Rows and statistics are inserted one after the other.
    fn statistics_beside(
        &self,
        selection: &Arc<Selection>,
        rows: ValueOrigin,
    ) -> Option<Arc<BacklinkStatistics>> {
        match self.memory().get(&EntryKey::new(selection, EntryKind::Statistics)) {
            Some(CacheEntry { value: CacheValue::Statistics(statistics), origin })
                if origin.version == rows.version =>
            {
                Some(Arc::clone(statistics))
            }
            _ => None,
        }
    }

    /// All rows of a selection, if they are cached and may be used.
    pub(super) fn rows(
        &self,
        selection: &Arc<Selection>,
        dependencies: Dependencies,
        deadline: &Deadline,
    ) -> Result<Option<IndexedRows>, QueryError> {
        let rows_key = EntryKey::new(selection, EntryKind::RowSet(dependencies.rows));
        if let Some(entry) = self.get(&rows_key, dependencies)?
            && let CacheValue::RowSet(row_set) = entry.value
        {
            let statistics = self.statistics_beside(selection, entry.origin);
            if statistics.is_some() || dependencies.rows != RowKind::Backlinks {
                let (origin, is_complete, summary) = (entry.origin, true, None);
                return Ok(Some(IndexedRows { row_set, statistics, origin, is_complete, summary }));
            }
        }
        let Some((reader, origin)) = self.open_file(&rows_key, dependencies)? else { return Ok(None) };
        let table = match reader.all_rows(deadline) {
            Ok(table) => table,
            Err(error) => {
                self.discard_file(&rows_key, &error)?;
                return Ok(None);
            }
        };
        let metadata = reader.metadata();
        let statistics: Option<Arc<BacklinkStatistics>> = metadata
            .statistics
            .clone()
            .and_then(|statistics| serde_json::from_value(statistics).ok())
            .map(Arc::new);
        if statistics.is_none() && dependencies.rows == RowKind::Backlinks {
            return Ok(None);
        }
        let row_set = Arc::new(RowSet { table, active_rows: metadata.active_rows });
        let indexed = IndexedRows { row_set, statistics, origin, is_complete: true, summary: None };
        self.insert_rows(selection, dependencies.rows, &indexed);
        Ok(Some(indexed))
    }

    pub(super) fn insert_rows(&self, selection: &Arc<Selection>, rows: RowKind, indexed: &IndexedRows) {
        let IndexedRows { row_set, statistics, origin, .. } = indexed;
        let origin = ValueOrigin { current_at_change: None, ..*origin };
        let entry = |value| CacheEntry { value, origin };
        self.insert(
            EntryKey::new(selection, EntryKind::RowSet(rows)),
            entry(CacheValue::RowSet(Arc::clone(row_set))),
        );
        if let Some(statistics) = statistics {
            self.insert(
                EntryKey::new(selection, EntryKind::Statistics),
                entry(CacheValue::Statistics(Arc::clone(statistics))),
            );
        }
    }

    /// Computes a view of indexed rows. They may be older than the data that is looked up for them.
    pub(super) fn build_view(
        &self,
        selection: &Selection,
        query: &ListQuery<'_>,
        indexed: &IndexedRows,
        deadline: &Deadline,
    ) -> Result<ComputedView, QueryError> {
        let ListQuery { listing, link_states, .. } = *query;
        let IndexedRows { row_set, origin, .. } = indexed;
        let dependencies = Dependencies::of(listing);
        let snapshot = self.store.snapshot();
        let present = self.current_version(selection, dependencies, &snapshot)?;
        let state = if present.ranks != origin.version.ranks {
            None
        } else if present.rows == origin.version.rows {
            Some(self.states.state_of(&snapshot)?)
        } else {
            origin.state.filter(|_| dependencies.extra == ExtraDependency::None)
        };
        let lookup = SnapshotLookup { snapshot: &snapshot, suffixes: &self.suffixes, deadline };
        let view = View::of(listing, row_set, link_states, &lookup, deadline)?;
        Ok(ComputedView { view, extra: present.extra, state })
    }
}

impl Dependencies {
    pub(super) fn of(listing: &Listing) -> Self {
        let extra = if listing.any_column(ColumnExpr::depends_on_other_domains) {
            ExtraDependency::OtherDomains
        } else if listing.any_column(ColumnExpr::depends_on_own_pages) {
            ExtraDependency::OwnPages
        } else {
            ExtraDependency::None
        };
        Self { rows: listing.rows, extra }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{ListColumn, StatePart};

    #[test]
    fn a_list_depends_on_what_its_hidden_columns_show() {
        const COLUMNS: [&[ListColumn]; 2] = [
            &[ListColumn { name: "refdoms", from: ColumnExpr::ForeignRefDomains("domain") }],
            &[ListColumn {
                name: "code",
                from: ColumnExpr::PageState { page: "linktarget", part: StatePart::Code },
            }],
        ];
        for columns in COLUMNS {
            let shown = Listing { columns, ..Listing::DEFAULT };
            let hidden = Listing { hidden_columns: columns, ..Listing::DEFAULT };
            assert_ne!(Dependencies::of(&shown), Dependencies::of(&Listing::DEFAULT));
            assert_eq!(Dependencies::of(&hidden), Dependencies::of(&shown));
        }
    }
}
