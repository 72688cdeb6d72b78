//! `[rank]`: the IV Search Rank.

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankConfig {
    /// Share of a page's rank that flows over its links.
    pub damping: f64,
    /// Largest error of the ranks, as the sum of absolute differences (L1) to the exact ones.
    pub tolerance: f64,
    /// Iterations over the graph at most.
    pub max_iterations: u32,
    /// Threads of the computation; 0: one per core.
    pub threads: usize,
    /// Time between two rankings of the stored pages, while the daemon runs.
    pub interval: Span,
    /// Time after its start at which the daemon computes ranks for the first time.
    pub first: Span,
}

impl Default for RankConfig {
    fn default() -> Self {
        Self {
            damping: 0.85,
            tolerance: 1e-9,
            max_iterations: 1_000,
            threads: 0,
            interval: Span::seconds(86_400),
            first: Span::seconds(600),
        }
    }
}

impl RankConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        if !(self.damping > 0.0 && self.damping < 1.0) {
            return Err(format!("rank.damping is {}; it must be between 0 and 1", self.damping));
        }
        if !(self.tolerance > 0.0 && self.tolerance <= 0.1) {
            return Err(format!(
                "rank.tolerance is {}; it must be more than 0 and at most 0.1",
                self.tolerance
            ));
        }
        at_least("rank.max_iterations", u64::from(self.max_iterations), 1)?;
        at_least("rank.interval in seconds", self.interval.0.as_secs(), 1)
    }
}
