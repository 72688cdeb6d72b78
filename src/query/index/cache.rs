//! The cache of the search indexes, in memory and on disk. It decides whether a cached value may be used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::disk::DiskCache;
use super::entry::{
    BuiltSummary, CacheEntry, CacheValue, Dependencies, EntryKind, Freshness, IndexKey, OtherData,
    StoreVersion, ValueOrigin,
};
use super::file::IndexReader;
use super::{IndexedRows, ListQuery};
use crate::config::SearchConfig;
use crate::lru::Lru;
use crate::query::aggregates::facts::Facts;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::lookup::SnapshotLookUp;
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
    pub memory: Mutex<Lru<IndexKey, CacheEntry>>,
    pub disk: DiskCache,
    pub states: Arc<StateClock>,
}

/// A computed view.
pub(super) struct ComputedView {
    pub view: View,
    /// The version of the other data that it depends on.
    pub others: u64,
    /// The state that rows and other data are of; `None` if there is no such state.
    pub state: Option<IndexState>,
}

impl IndexCache {
    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, Lru<IndexKey, CacheEntry>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: IndexKey, entry: CacheEntry) {
        let bytes = entry.value.bytes();
        if bytes <= self.config.memory_bytes {
            self.memory().insert(key, entry, bytes);
        }
    }

    /// Removes a file that cannot be read, and its value in memory, so that both are rebuilt.
    ///
    /// # Errors
    /// [`QueryError::Deadline`] when the deadline, and not the file, is the cause.
    pub(super) fn discard_file(&self, key: &IndexKey, error: &std::io::Error) -> Result<(), QueryError> {
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
            links: match dependencies.rows {
                RowKind::Backlinks => changes.incoming,
                _ => changes.outgoing,
            },
            ranks: snapshot.rank_generation()?,
            others: dependencies.others.last_change(changes, snapshot)?,
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
        let at = self.store.change_number();
        let snapshot = self.store.snapshot();
        if self.current_version(selection, dependencies, &snapshot)? == origin.version {
            return Ok(Freshness::Current { at, state: self.states.state_of(&snapshot)? });
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
        key: &IndexKey,
        dependencies: Dependencies,
    ) -> Result<Option<CacheEntry>, QueryError> {
        let now = self.store.change_number();
        let Some(mut entry) = self.memory().get(key).map(|entry| entry.clone()) else { return Ok(None) };
        if entry.origin.valid_at == Some(now) {
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
        key: &IndexKey,
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
        let valid_at = self.store.change_number();
        let snapshot = self.store.snapshot();
        let state = self.states.state_of(&snapshot)?;
        Ok(PresentState { snapshot, state, valid_at })
    }

    /// The summary of a selection, if it is cached and may be used.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn summary(&self, selection: &Arc<Selection>) -> Result<Option<BuiltSummary>, QueryError> {
        let key = IndexKey::new(selection, EntryKind::Summary);
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
        self.insert(IndexKey::new(selection, EntryKind::Summary), entry);
    }

    /// The summary in the state of a snapshot, with facts of the same state.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub(super) fn summary_in(
        &self,
        present: &PresentState<'_>,
        selection: &Arc<Selection>,
        facts: Option<Arc<Facts>>,
        deadline: &Deadline,
    ) -> Result<ScopeSummary, QueryError> {
        Ok(ScopeSummary {
            counts: self.count_in(present, selection, deadline)?,
            links: self.count_in(present, selection, deadline)?,
            rank: scope_rank(&present.snapshot, &selection.scope)?,
            coverage: Coverage::of(&selection.scope, &present.snapshot, deadline)?,
            facts,
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
        facts: Arc<Facts>,
        read_at: SystemTime,
        deadline: &Deadline,
    ) -> Result<BuiltSummary, QueryError> {
        let version = self.current_version(selection, Dependencies::SUMMARY, &present.snapshot)?;
        let summary = Arc::new(self.summary_in(present, selection, Some(facts), deadline)?);
        let (valid_at, state) = (Some(present.valid_at), Some(present.state));
        Ok(BuiltSummary { summary, origin: ValueOrigin { version, read_at, valid_at, state } })
    }

    /// The facts in memory, if they are of the version of the rows. Rows and facts are inserted one after the other.
    fn facts_beside(&self, selection: &Arc<Selection>, rows: ValueOrigin) -> Option<Arc<Facts>> {
        match self.memory().get(&IndexKey::new(selection, EntryKind::Facts)) {
            Some(CacheEntry { value: CacheValue::Facts(facts), origin })
                if origin.version == rows.version =>
            {
                Some(Arc::clone(facts))
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
        let rows_key = IndexKey::new(selection, EntryKind::RowSet(dependencies.rows));
        if let Some(entry) = self.get(&rows_key, dependencies)?
            && let CacheValue::RowSet(row_set) = entry.value
        {
            let facts = self.facts_beside(selection, entry.origin);
            if facts.is_some() || dependencies.rows != RowKind::Backlinks {
                let origin = entry.origin;
                return Ok(Some(IndexedRows { row_set, facts, origin, finished: true, summary: None }));
            }
        }
        let Some((reader, origin)) = self.open_file(&rows_key, dependencies)? else { return Ok(None) };
        let table = match reader.whole(deadline) {
            Ok(table) => table,
            Err(error) => {
                self.discard_file(&rows_key, &error)?;
                return Ok(None);
            }
        };
        let metadata = reader.metadata();
        let facts: Option<Arc<Facts>> =
            metadata.facts.clone().and_then(|facts| serde_json::from_value(facts).ok()).map(Arc::new);
        if facts.is_none() && dependencies.rows == RowKind::Backlinks {
            return Ok(None);
        }
        let row_set = Arc::new(RowSet { table, active: metadata.active });
        let indexed = IndexedRows { row_set, facts, origin, finished: true, summary: None };
        self.insert_rows(selection, dependencies.rows, &indexed);
        Ok(Some(indexed))
    }

    pub(super) fn insert_rows(&self, selection: &Arc<Selection>, rows: RowKind, indexed: &IndexedRows) {
        let IndexedRows { row_set, facts, origin, .. } = indexed;
        let origin = ValueOrigin { valid_at: None, ..*origin };
        let entry = |value| CacheEntry { value, origin };
        self.insert(
            IndexKey::new(selection, EntryKind::RowSet(rows)),
            entry(CacheValue::RowSet(Arc::clone(row_set))),
        );
        if let Some(facts) = facts {
            self.insert(
                IndexKey::new(selection, EntryKind::Facts),
                entry(CacheValue::Facts(Arc::clone(facts))),
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
        let ListQuery { listing, activity, .. } = *query;
        let IndexedRows { row_set, origin, .. } = indexed;
        let dependencies = Dependencies::of(listing);
        let snapshot = self.store.snapshot();
        let present = self.current_version(selection, dependencies, &snapshot)?;
        let state = if present.ranks != origin.version.ranks {
            None
        } else if present.links == origin.version.links {
            Some(self.states.state_of(&snapshot)?)
        } else {
            origin.state.filter(|_| dependencies.others == OtherData::Nothing)
        };
        let look_up = SnapshotLookUp { snapshot: &snapshot, suffixes: &self.suffixes, deadline };
        let view = View::of(listing, row_set, activity, &look_up, deadline)?;
        Ok(ComputedView { view, others: present.others, state })
    }
}

impl Dependencies {
    pub(super) fn of(listing: &Listing) -> Self {
        let others = if listing.any_column(ColumnExpr::depends_on_other_domains) {
            OtherData::Everything
        } else if listing.any_column(ColumnExpr::depends_on_own_pages) {
            OtherData::Pages
        } else {
            OtherData::Nothing
        };
        Self { rows: listing.rows, others }
    }
}
