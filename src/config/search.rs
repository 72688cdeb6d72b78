//! `[search]`: the search indexes that answer lists.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchConfig {
    /// Directory of the indexes; empty: `searches` in the data directory.
    pub directory: PathBuf,
    /// Bytes of indexes kept on disk; 0: none.
    pub disk_bytes: u64,
    /// Bytes of indexes kept in memory.
    pub memory_bytes: usize,
    /// Smallest index that is kept on disk, in rows.
    pub disk_min_rows: usize,
    /// Age up to which an index is used although links of its scope have changed since it was built.
    pub refresh: Span,
    /// Maximum time that a list waits for its index. After it, the list contains the rows that are ready.
    pub patience: Span,
    /// Rows of a scope that are read while the client waits; the rest is read in the background.
    pub preview_rows: usize,
    /// Indexes built at once in the background.
    pub builders: usize,
    /// Builds without a waiting client that may be queued, and likewise indexes that wait to be written to disk.
    pub max_waiting_builds: usize,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            disk_bytes: 8 << 30,
            memory_bytes: 1 << 30,
            disk_min_rows: 2_000,
            refresh: Span::seconds(60),
            patience: Span(Duration::from_millis(1_500)),
            preview_rows: 50_000,
            builders: 2,
            max_waiting_builds: 64,
        }
    }
}

impl SearchConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("search.memory_bytes", self.memory_bytes as u64, 1 << 20)?;
        at_least("search.preview_rows", self.preview_rows as u64, 1)?;
        at_least("search.builders", self.builders as u64, 1)?;
        at_least("search.max_waiting_builds", self.max_waiting_builds as u64, 1)
    }
}
