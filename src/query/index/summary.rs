//! Summaries: all figures of a selection in one state of the store.

use std::sync::Arc;

use super::SearchIndexes;
use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKind, IndexKey, OtherData, StoreVersion};
use crate::clock::unix_now;
use crate::model::SearchRank;
use crate::query::aggregates::facts::Facts;
use crate::query::engine::fields::RowKind;
use crate::query::{Counts, Coverage, Deadline, LinkCounts, QueryError, Selection, scope_rank};

/// Times that the index is read before it is given up: commits may change the scope meanwhile.
const MAX_ATTEMPTS: usize = 3;

/// All figures of a selection in one state of the store.
#[derive(Clone, Debug)]
pub struct ScopeSummary {
    pub counts: Counts,
    pub links: LinkCounts,
    pub rank: SearchRank,
    pub coverage: Coverage,
    /// The facts in the same state; `None` if the search index is not complete, or of another state.
    pub facts: Option<Arc<Facts>>,
    /// The change number of the state.
    pub change: u64,
    /// The Unix time at which the state was read, in seconds.
    pub read_at: u64,
}

impl SearchIndexes {
    /// Summarizes a selection. Unlike a list, it never uses an index of an earlier state.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn summary(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<ScopeSummary, QueryError> {
        let (cache, dependencies) = (&self.cache, FACTS);
        let mut attempt = 1;
        loop {
            deadline.check()?;
            let found = self.present_facts(selection, deadline)?;
            let read_at = unix_now();
            let valid_at = Some(cache.store.change_number());
            let snapshot = cache.store.snapshot();
            let version = cache.current_version(selection, dependencies, &snapshot)?;
            let outdated = found.as_ref().is_some_and(|(_, of)| *of != version);
            if outdated && attempt < MAX_ATTEMPTS {
                attempt += 1;
                continue;
            }
            let facts = found.filter(|_| !outdated).map(|(facts, _)| facts);
            return Ok(ScopeSummary {
                counts: self.count_in(&snapshot, valid_at, selection, deadline)?,
                links: self.count_in(&snapshot, valid_at, selection, deadline)?,
                rank: scope_rank(&snapshot, &selection.scope)?,
                coverage: Coverage::of(&selection.scope, &snapshot, deadline)?,
                facts,
                change: snapshot.last_change()?,
                read_at,
            });
        }
    }

    /// The facts of the present state and their version; `None` if the index is not complete after `search.patience`.
    fn present_facts(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<Option<(Arc<Facts>, StoreVersion)>, QueryError> {
        let cache = &self.cache;
        let key = IndexKey::new(selection, EntryKind::Facts);
        if let Some(CacheEntry { value: CacheValue::Facts(facts), origin }) = cache.get(&key, FACTS)?
            && origin.is_current()
        {
            return Ok(Some((facts, origin.version)));
        }
        let cached = cache.rows(selection, FACTS, deadline)?.filter(|rows| rows.origin.is_current());
        let indexed = match cached {
            Some(indexed) => indexed,
            None => {
                let patience = Some(cache.config.patience.0);
                self.builder.build(cache, selection, RowKind::Backlinks, patience, deadline)?
            }
        };
        let version = indexed.origin.version;
        Ok(indexed.facts.filter(|_| indexed.finished).map(|facts| (facts, version)))
    }
}

const FACTS: Dependencies = Dependencies { rows: RowKind::Backlinks, others: OtherData::Nothing };
