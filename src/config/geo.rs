//! `[geo]`: the database that locates servers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeoConfig {
    /// A MaxMind DB file with the City or Country schema, or with flat records. Empty: places are not known.
    pub database: PathBuf,
    /// Language of country and city names, as the database names it; English where a name lacks it.
    pub language: String,
}

impl Default for GeoConfig {
    fn default() -> Self {
        Self { database: PathBuf::new(), language: "en".to_owned() }
    }
}
