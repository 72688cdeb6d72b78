//! `[sitemaps]`: how far declared sitemaps are followed.

use serde::{Deserialize, Serialize};

use super::at_least;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SitemapsConfig {
    /// Whether sitemaps that a robots.txt declares are read.
    pub follow: bool,
    /// Bytes of one sitemap, after decompression, that are read, and of the URLs that its entries lead to.
    pub max_bytes: usize,
    /// Layers of gzip that are removed from one sitemap.
    pub max_gzip_layers: u32,
    /// Entries of one sitemap that are read.
    pub max_urls: usize,
    /// Levels of sitemap indexes below a declared sitemap.
    pub max_depth: u32,
    /// Sitemaps read per host at most for each reading of its robots.txt.
    pub max_per_host: usize,
    /// Sitemaps on one host at most, for each reading of its robots.txt, that only hosts of other domains name.
    pub max_named_elsewhere: usize,
}

impl Default for SitemapsConfig {
    fn default() -> Self {
        Self {
            follow: true,
            max_bytes: 50 << 20,
            max_gzip_layers: 3,
            max_urls: 50_000,
            max_depth: 2,
            max_per_host: 100,
            max_named_elsewhere: 10_000,
        }
    }
}

impl SitemapsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("sitemaps.max_bytes", self.max_bytes as u64, 1_024)?;
        at_least("sitemaps.max_urls", self.max_urls as u64, 1)
    }
}
