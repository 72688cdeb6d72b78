//! `[mcp]`: the tools for agents.

use serde::{Deserialize, Serialize};

use super::at_least;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpConfig {
    /// Rows of an answer without `limit`.
    pub default_rows: usize,
    /// Maximum number of rows of an answer.
    pub max_rows: usize,
    /// Characters of a text at which it is cut.
    pub max_text_chars: usize,
}

impl Default for McpConfig {
    fn default() -> Self {
        Self { default_rows: 20, max_rows: 100, max_text_chars: 300 }
    }
}

impl McpConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("mcp.default_rows", self.default_rows as u64, 1)?;
        at_least("mcp.max_text_chars", self.max_text_chars as u64, 20)?;
        if self.max_rows < self.default_rows {
            return Err(format!(
                "mcp.max_rows is {}; it must be at least mcp.default_rows, {}",
                self.max_rows, self.default_rows
            ));
        }
        Ok(())
    }
}
