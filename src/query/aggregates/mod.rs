//! Aggregates: counts, facts, history and coverage of a whole selection.

pub mod counts;
pub mod coverage;
pub mod facts;
pub mod history;
