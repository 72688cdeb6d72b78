//! Aggregates: counts, facts, history and coverage of a whole selection.

pub(super) mod counts;
pub(super) mod coverage;
pub(super) mod facts;
pub(super) mod history;
pub(super) mod timeline;
