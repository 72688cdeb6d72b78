//! `[urls]`: what a URL may look like and which domains there are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::at_least;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UrlsConfig {
    /// Bytes of the longest URL that is followed or stored.
    pub max_length: usize,
    /// Query parameters dropped from every URL; a `*` at the end stands for any rest.
    pub drop_query_params: Vec<String>,
    /// A `public_suffix_list.dat` to use instead of the built-in one. Empty: the built-in one.
    pub public_suffix_list: PathBuf,
}

impl Default for UrlsConfig {
    fn default() -> Self {
        Self { max_length: 8_000, drop_query_params: Vec::new(), public_suffix_list: PathBuf::new() }
    }
}

impl UrlsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("urls.max_length", self.max_length as u64, 100)
    }
}
