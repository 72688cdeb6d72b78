//! Aggregates: counts, facts, history, coverage and summaries of a whole selection.

pub(super) mod counts;
pub(super) mod coverage;
pub(super) mod facts;
pub(super) mod history;
pub(super) mod summary;
pub(super) mod timeline;
