//! Summaries: all figures of a selection in one state of the store.

use std::sync::Arc;

use super::counts::{Counts, LinkCounts};
use super::coverage::Coverage;
use super::statistics::BacklinkStatistics;
use crate::model::SearchRank;
use crate::query::state::IndexState;

/// All figures of a selection in one state of the store.
#[derive(Clone, Debug)]
pub struct ScopeSummary {
    pub counts: Counts,
    pub links: LinkCounts,
    pub rank: SearchRank,
    pub coverage: Coverage,
    /// The statistics in the same state; `None` if the search index is not complete, or of another state.
    pub statistics: Option<Arc<BacklinkStatistics>>,
    pub state: IndexState,
}

impl ScopeSummary {
    /// Whether it can change without a commit: what is known of a scope without visits does.
    pub(in crate::query) fn is_provisional(&self) -> bool {
        !matches!(self.coverage, Coverage::Visited(_))
    }
}
