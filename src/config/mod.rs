//! The configuration: one struct per TOML section, each with its defaults and its own validation.
//!
//! The layers, of which later ones win: built-in defaults, `--config FILE`, environment `BACKLINKD_SECTION__KEY`,
//! `--set section.key=value`. `config/default.toml` shows every key with its default, unit and reason. A test asserts
//! that it equals [`Config::default`]. The configuration holds no secrets: users and their passwords are in the store.

mod api;
mod crawl;
mod error;
mod fetch;
mod geo;
mod keys;
mod layers;
mod loaded;
mod mcp;
mod networks;
mod parse;
mod ports;
mod rank;
mod robots;
mod search;
mod sitemaps;
mod span;
mod store;
mod traps;
mod urls;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use api::{ApiConfig, ForwardedHeader};
pub use crawl::{CrawlConfig, CrawlOrder};
pub use error::{ConfigError, Origin};
pub use fetch::{FetchConfig, TlsPolicy};
pub use geo::GeoConfig;
pub use keys::{DEFAULT_TOML, KeyDoc, commented_defaults, key_table};
pub use layers::{COMMAND_LINE_VARIABLES, environment, load, load_with_origins, nearest_key};
pub use loaded::{LoadedConfig, LoadedValue};
pub use mcp::McpConfig;
pub use parse::ParseConfig;
pub use ports::Ports;
pub use rank::RankConfig;
pub use robots::RobotsConfig;
pub use search::SearchConfig;
pub use sitemaps::SitemapsConfig;
pub use span::Span;
pub use store::StoreConfig;
pub use traps::TrapsConfig;
pub use urls::UrlsConfig;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub crawl: CrawlConfig,
    pub fetch: FetchConfig,
    pub robots: RobotsConfig,
    pub sitemaps: SitemapsConfig,
    pub traps: TrapsConfig,
    pub parse: ParseConfig,
    pub urls: UrlsConfig,
    pub store: StoreConfig,
    pub geo: GeoConfig,
    pub rank: RankConfig,
    pub search: SearchConfig,
    pub api: ApiConfig,
    pub mcp: McpConfig,
}

impl Config {
    /// Checks ranges, and keys that depend on each other, which types alone cannot check.
    ///
    /// # Errors
    /// A sentence that names the key and what it must be.
    pub fn validate(&self) -> Result<(), String> {
        self.crawl.validate()?;
        self.fetch.validate()?;
        self.robots.validate()?;
        self.sitemaps.validate()?;
        self.traps.validate()?;
        self.parse.validate()?;
        self.urls.validate()?;
        self.store.validate()?;
        self.rank.validate()?;
        self.search.validate()?;
        self.api.validate()?;
        self.mcp.validate()
    }

    /// Every path with its key, so that a file's relative paths can be resolved.
    fn paths_mut(&mut self) -> [(&'static str, &mut PathBuf); 8] {
        [
            ("crawl.block_list", &mut self.crawl.block_list),
            ("crawl.warc_dir", &mut self.crawl.warc_dir),
            ("fetch.host_overrides", &mut self.fetch.host_overrides),
            ("fetch.extra_ca", &mut self.fetch.extra_ca),
            ("urls.public_suffix_list", &mut self.urls.public_suffix_list),
            ("geo.database", &mut self.geo.database),
            ("search.directory", &mut self.search.directory),
            ("api.user_file", &mut self.api.user_file),
        ]
    }
}

/// Checks the lower bound of a value; the error is the message.
fn at_least(key: &str, value: u64, least: u64) -> Result<(), String> {
    if value < least {
        return Err(format!("{key} is {value}; it must be at least {least}"));
    }
    Ok(())
}
