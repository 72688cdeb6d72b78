//! Aggregates: counts, statistics, history, coverage and summaries of a whole selection.

pub(super) mod counts;
pub(super) mod coverage;
pub(super) mod history;
pub(super) mod statistics;
pub(super) mod summary;
pub(super) mod timeline;
