//! Summaries: all figures of a selection in one state of the store.
//!
//! A summary is cached like a list: it is used while its state is the present one, and then until `search.refresh` has
//! passed since the rows of its index were read. A crawl that changes the links of a large scope all the time therefore
//! causes one build in that time. The build computes the summary too, from the snapshot that it reads the rows from.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::builder::{BuildRequest, read_rows_in};
use super::cache::IndexCache;
use super::entry::{
    BuiltSummary, CacheEntry, CacheValue, Dependencies, EntryKind, IndexKey, OtherData, StoreVersion,
};
use super::{IndexAnswer, SearchIndexes};
use crate::query::aggregates::facts::Facts;
use crate::query::engine::fields::RowKind;
use crate::query::state::{IndexState, PresentState};
use crate::query::{Deadline, QueryError, ScopeSummary, Selection};

/// Times that the index is read before it is given up: commits may change the scope meanwhile.
const MAX_ATTEMPTS: usize = 3;

const FACTS: Dependencies = Dependencies { rows: RowKind::Backlinks, others: OtherData::Nothing };

/// What an index gives for a summary.
enum FoundFacts {
    /// The index is not complete.
    Unfinished,
    /// The index is too old.
    Outdated,
    /// The facts, and the version of the links that they are of.
    Complete(Arc<Facts>, StoreVersion),
    /// The whole summary.
    Summarized(BuiltSummary),
}

impl SearchIndexes {
    /// Reads the present state.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub fn present(&self) -> Result<PresentState<'_>, QueryError> {
        self.cache.present()
    }

    /// Summarizes a selection: in the present state, or in an earlier one that is younger than `search.refresh`.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn summary(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<IndexAnswer<ScopeSummary>, QueryError> {
        let (cache, begun) = (&self.cache, SystemTime::now());
        if let Some(built) = cache.summary(selection)? {
            return Ok(answer(&built));
        }
        let until = Instant::now() + cache.config.patience.0;
        let mut attempt = 1;
        loop {
            deadline.check()?;
            let found = self.read_facts(selection, until, deadline)?;
            let found = match cache.usable_summary(found, selection, begun)? {
                Ok(built) => return Ok(answer(&built)),
                Err(found) => found,
            };
            let (read_at, present) = (SystemTime::now(), cache.present()?);
            match cache.facts_in(&present, selection, &found)? {
                Some(facts) => {
                    let built = cache.build_summary(&present, selection, facts, read_at, deadline)?;
                    cache.insert_summary(selection, built.clone());
                    return Ok(answer(&built));
                }
                None if !matches!(found, FoundFacts::Unfinished) && attempt < MAX_ATTEMPTS => attempt += 1,
                None => {
                    let answer = cache.summary_in(&present, selection, None, deadline)?;
                    let state = Some(present.state);
                    return Ok(IndexAnswer { answer, finished: false, current: true, state });
                }
            }
        }
    }

    /// Summarizes several selections, all in the present state. Facts of a scope that changes all the time are read again
    /// if it has few rows, and are missing otherwise.
    ///
    /// # Errors
    /// As [`Self::summary`].
    pub fn summaries(
        &self,
        selections: &[Arc<Selection>],
        deadline: &Deadline,
    ) -> Result<(Vec<ScopeSummary>, IndexState), QueryError> {
        let cache = &self.cache;
        let until = Instant::now() + cache.config.patience.0;
        let mut found = Vec::with_capacity(selections.len());
        for selection in selections {
            deadline.check()?;
            found.push(self.read_facts(selection, until, deadline)?);
        }
        let present = cache.present()?;
        let mut summaries = Vec::with_capacity(selections.len());
        for (selection, found) in selections.iter().zip(found) {
            deadline.check()?;
            let facts = match cache.facts_in(&present, selection, &found)? {
                None if !matches!(found, FoundFacts::Unfinished) => {
                    cache.few_facts_in(&present, selection, deadline)?
                }
                facts => facts,
            };
            summaries.push(cache.summary_in(&present, selection, facts, deadline)?);
        }
        Ok((summaries, present.state))
    }

    /// The facts of the present state, as far as they are ready at `until`.
    fn read_facts(
        &self,
        selection: &Arc<Selection>,
        until: Instant,
        deadline: &Deadline,
    ) -> Result<FoundFacts, QueryError> {
        let cache = &self.cache;
        let key = IndexKey::new(selection, EntryKind::Facts);
        if let Some(CacheEntry { value: CacheValue::Facts(facts), origin }) = cache.get(&key, FACTS)?
            && origin.is_current()
        {
            return Ok(FoundFacts::Complete(facts, origin.version));
        }
        let cached = cache.rows(selection, FACTS, deadline)?.filter(|rows| rows.origin.is_current());
        let indexed = match cached {
            Some(indexed) => indexed,
            None => {
                let wait = Some(until.saturating_duration_since(Instant::now()));
                let request = BuildRequest { rows: RowKind::Backlinks, summarized: true, wait };
                self.builder.build(cache, selection, request, deadline)?
            }
        };
        Ok(match (indexed.summary, indexed.facts) {
            _ if !indexed.finished => FoundFacts::Unfinished,
            (Some(built), _) => FoundFacts::Summarized(built),
            (None, Some(facts)) => FoundFacts::Complete(facts, indexed.origin.version),
            (None, None) => FoundFacts::Unfinished,
        })
    }
}

/// The summary as an answer. It names the last state that it is known to be of.
fn answer(built: &BuiltSummary) -> IndexAnswer<ScopeSummary> {
    let mut summary = (*built.summary).clone();
    summary.state = built.origin.state.unwrap_or(summary.state);
    let state = Some(summary.state);
    IndexAnswer { state, ..IndexAnswer::complete(summary, &built.origin) }
}

impl IndexCache {
    /// The summary that an index gives, if it may be used; otherwise what else the index gives. `begun` is the time of
    /// the request: rows that were read after it are used, even if that took longer than `search.refresh`.
    fn usable_summary(
        &self,
        found: FoundFacts,
        selection: &Selection,
        begun: SystemTime,
    ) -> Result<Result<BuiltSummary, FoundFacts>, QueryError> {
        let FoundFacts::Summarized(built) = found else { return Ok(Err(found)) };
        let freshness = self.freshness(selection, Dependencies::SUMMARY, built.origin)?;
        Ok(match built.origin.checked(freshness) {
            Some(origin) => Ok(BuiltSummary { origin, ..built }),
            None if built.origin.read_at >= begun => Ok(built),
            None => Err(FoundFacts::Outdated),
        })
    }

    /// The facts, if they are of the state of the snapshot.
    fn facts_in(
        &self,
        present: &PresentState<'_>,
        selection: &Selection,
        found: &FoundFacts,
    ) -> Result<Option<Arc<Facts>>, QueryError> {
        let (facts, version) = match found {
            FoundFacts::Complete(facts, version) => (Some(facts), *version),
            // The version of a summary names the scope's own pages too, on which facts do not depend.
            FoundFacts::Summarized(built) => {
                (built.summary.facts.as_ref(), StoreVersion { others: 0, ..built.origin.version })
            }
            FoundFacts::Unfinished | FoundFacts::Outdated => (None, StoreVersion::default()),
        };
        let is_same = self.current_version(selection, FACTS, &present.snapshot)? == version;
        Ok(facts.filter(|_| is_same).cloned())
    }

    /// The facts in the state of a snapshot, if the selection has at most `search.preview_rows` rows.
    fn few_facts_in(
        &self,
        present: &PresentState<'_>,
        selection: &Selection,
        deadline: &Deadline,
    ) -> Result<Option<Arc<Facts>>, QueryError> {
        let limit = (self.config.preview_rows, SystemTime::now());
        let indexed = read_rows_in(self, present, (selection, RowKind::Backlinks), limit, deadline)?;
        Ok(indexed.facts.filter(|_| indexed.finished))
    }
}
