//! The configuration: one struct per TOML section, each with its defaults and its own check.
//!
//! Layers, later ones win: built-in defaults, `--config FILE`, environment `BACKLINKD_SECTION__KEY`,
//! `--set section.key=value`. `config/default.toml` shows every key with its default, unit and reason; a test
//! holds it equal to [`Config::default`].

mod api;
mod crawl;
mod fetch;
mod geo;
mod layers;
mod parse;
mod rank;
mod robots;
mod span;
mod store;
mod urls;

use serde::{Deserialize, Serialize};

pub use api::ApiConfig;
pub use crawl::CrawlConfig;
pub use fetch::FetchConfig;
pub use geo::GeoConfig;
pub use layers::{ConfigError, DEFAULT_TOML, load};
pub use parse::ParseConfig;
pub use rank::RankConfig;
pub use robots::RobotsConfig;
pub use span::Span;
pub use store::StoreConfig;
pub use urls::UrlsConfig;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub crawl: CrawlConfig,
    pub fetch: FetchConfig,
    pub robots: RobotsConfig,
    pub parse: ParseConfig,
    pub urls: UrlsConfig,
    pub store: StoreConfig,
    pub geo: GeoConfig,
    pub rank: RankConfig,
    pub api: ApiConfig,
}

impl Config {
    /// Checks what types alone cannot: ranges, and keys that only make sense together.
    ///
    /// # Errors
    /// A sentence that names the key and what it must be.
    pub fn validate(&self) -> Result<(), String> {
        self.crawl.validate()?;
        self.fetch.validate()?;
        self.robots.validate()?;
        self.parse.validate()?;
        self.urls.validate()?;
        self.store.validate()?;
        self.rank.validate()?;
        self.api.validate()
    }
}

/// The message of a value that is too small.
fn at_least(key: &str, value: u64, least: u64) -> Result<(), String> {
    if value < least {
        return Err(format!("{key} is {value}; it must be at least {least}"));
    }
    Ok(())
}
