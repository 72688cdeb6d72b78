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
    BuiltSummary, CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ExtraDependency, StoreVersion,
};
use super::{IndexAnswer, SearchIndexes};
use crate::query::aggregates::statistics::BacklinkStatistics;
use crate::query::engine::fields::RowKind;
use crate::query::state::{IndexState, PresentState};
use crate::query::{Deadline, QueryError, ScopeSummary, Selection};

/// Attempts to read an index of the present state. An attempt fails if a commit changes the scope meanwhile.
const MAX_ATTEMPTS: usize = 3;

/// What an index gives for a summary.
enum FoundStatistics {
    /// The index is not complete.
    Unfinished,
    /// The index is too old.
    Outdated,
    /// The statistics, and the version of the links that they are of.
    Complete(Arc<BacklinkStatistics>, StoreVersion),
    /// The whole summary.
    Summarized(BuiltSummary),
}

/// The statistics depend on the links into the scope alone.
const STATISTICS_DEPENDENCIES: Dependencies =
    Dependencies { rows: RowKind::Backlinks, extra: ExtraDependency::None };

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
            let found = self.read_statistics(selection, until, deadline)?;
            let found = match cache.usable_summary(found, selection, begun)? {
                Ok(built) => return Ok(answer(&built)),
                Err(found) => found,
            };
            let (read_at, present) = (SystemTime::now(), cache.present()?);
            match cache.statistics_in(&present, selection, &found)? {
                Some(statistics) => {
                    let built = cache.build_summary(&present, selection, statistics, read_at, deadline)?;
                    cache.insert_summary(selection, built.clone());
                    return Ok(answer(&built));
                }
                None if !matches!(found, FoundStatistics::Unfinished) && attempt < MAX_ATTEMPTS => {
                    attempt += 1;
                }
                None => {
                    let answer = cache.summary_in(&present, selection, None, deadline)?;
                    let state = Some(present.state);
                    return Ok(IndexAnswer { answer, is_complete: false, current: true, state });
                }
            }
        }
    }

    /// Summarizes several selections, all in the present state. Statistics of a scope that changes all the time are
    /// read again if it has few rows, and are missing otherwise.
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
            found.push(self.read_statistics(selection, until, deadline)?);
        }
        let present = cache.present()?;
        let mut summaries = Vec::with_capacity(selections.len());
        for (selection, found) in selections.iter().zip(found) {
            deadline.check()?;
            let statistics = match cache.statistics_in(&present, selection, &found)? {
                None if !matches!(found, FoundStatistics::Unfinished) => {
                    cache.few_statistics_in(&present, selection, deadline)?
                }
                statistics => statistics,
            };
            summaries.push(cache.summary_in(&present, selection, statistics, deadline)?);
        }
        Ok((summaries, present.state))
    }

    /// The statistics of the present state, as far as they are ready at `until`.
    fn read_statistics(
        &self,
        selection: &Arc<Selection>,
        until: Instant,
        deadline: &Deadline,
    ) -> Result<FoundStatistics, QueryError> {
        let cache = &self.cache;
        let key = EntryKey::new(selection, EntryKind::Statistics);
        if let Some(CacheEntry { value: CacheValue::Statistics(statistics), origin }) =
            cache.get(&key, STATISTICS_DEPENDENCIES)?
            && origin.is_current()
        {
            return Ok(FoundStatistics::Complete(statistics, origin.version));
        }
        let cached =
            cache.rows(selection, STATISTICS_DEPENDENCIES, deadline)?.filter(|rows| rows.origin.is_current());
        let indexed = match cached {
            Some(indexed) => indexed,
            None => {
                let wait = Some(until.saturating_duration_since(Instant::now()));
                let request = BuildRequest { rows: RowKind::Backlinks, summarized: true, wait };
                self.builder.build(cache, selection, request, deadline)?
            }
        };
        Ok(match (indexed.summary, indexed.statistics) {
            _ if !indexed.is_complete => FoundStatistics::Unfinished,
            (Some(built), _) => FoundStatistics::Summarized(built),
            (None, Some(statistics)) => FoundStatistics::Complete(statistics, indexed.origin.version),
            (None, None) => FoundStatistics::Unfinished,
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
        found: FoundStatistics,
        selection: &Selection,
        begun: SystemTime,
    ) -> Result<Result<BuiltSummary, FoundStatistics>, QueryError> {
        let FoundStatistics::Summarized(built) = found else { return Ok(Err(found)) };
        let freshness = self.freshness(selection, Dependencies::SUMMARY, built.origin)?;
        Ok(match built.origin.checked(freshness) {
            Some(origin) => Ok(BuiltSummary { origin, ..built }),
            None if built.origin.read_at >= begun => Ok(built),
            None => Err(FoundStatistics::Outdated),
        })
    }

    /// The statistics, if they are of the state of the snapshot.
    fn statistics_in(
        &self,
        present: &PresentState<'_>,
        selection: &Selection,
        found: &FoundStatistics,
    ) -> Result<Option<Arc<BacklinkStatistics>>, QueryError> {
        let (statistics, version) = match found {
            FoundStatistics::Complete(statistics, version) => (Some(statistics), *version),
            // The version of a summary names the scope's own pages too, on which statistics do not depend.
            FoundStatistics::Summarized(built) => {
                (built.summary.statistics.as_ref(), StoreVersion { extra: 0, ..built.origin.version })
            }
            FoundStatistics::Unfinished | FoundStatistics::Outdated => (None, StoreVersion::default()),
        };
        let is_same = self.current_version(selection, STATISTICS_DEPENDENCIES, &present.snapshot)? == version;
        Ok(statistics.filter(|_| is_same).cloned())
    }

    /// The statistics in the state of a snapshot, if the selection has at most `search.preview_rows` rows.
    fn few_statistics_in(
        &self,
        present: &PresentState<'_>,
        selection: &Selection,
        deadline: &Deadline,
    ) -> Result<Option<Arc<BacklinkStatistics>>, QueryError> {
        let limit = (self.config.preview_rows, SystemTime::now());
        let indexed = read_rows_in(self, present, (selection, RowKind::Backlinks), limit, deadline)?;
        Ok(indexed.statistics.filter(|_| indexed.is_complete))
    }
}
