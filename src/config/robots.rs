//! `[robots]`: how robots.txt files are read and cached (RFC 9309).

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RobotsConfig {
    /// Bytes of a robots.txt that are parsed; RFC 9309 requires at least 500 KiB.
    pub max_bytes: usize,
    /// Bytes of comparison between one URL and the wildcard rules of a robots.txt, over all its rules.
    pub max_compared_bytes: usize,
    /// Redirects followed; RFC 9309 requires at least 5.
    pub max_redirects: u32,
    /// Time a robots.txt is used before it is fetched again; RFC 9309 allows at most 24 hours.
    pub max_age: Span,
    /// Time after which an unavailable robots.txt is requested again.
    pub retry_after: Span,
    /// Time beyond `max_age` for which an earlier copy replaces an unavailable robots.txt.
    pub max_stale: Span,
    /// Time of unavailability after which a robots.txt is given up, and its host is crawled without it.
    pub unreachable_after: Span,
    /// Bytes of rules kept in memory, over all hosts.
    pub cache_bytes: usize,
}

impl Default for RobotsConfig {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 10,
            max_compared_bytes: 4 << 20,
            max_redirects: 5,
            max_age: Span::seconds(86_400),
            retry_after: Span::seconds(600),
            max_stale: Span::seconds(86_400),
            unreachable_after: Span::seconds(30 * 86_400),
            cache_bytes: 64 << 20,
        }
    }
}

impl RobotsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("robots.max_bytes", self.max_bytes as u64, 500 << 10)?;
        at_least("robots.max_compared_bytes", self.max_compared_bytes as u64, 64 << 10)?;
        at_least("robots.max_redirects", u64::from(self.max_redirects), 5)?;
        if self.max_age > Span::seconds(86_400) {
            return Err(format!("robots.max_age is {}; it must be at most 24h (RFC 9309)", self.max_age));
        }
        at_least("robots.max_age in seconds", self.max_age.0.as_secs(), 1)?;
        if self.unreachable_after < Span::seconds(86_400) {
            return Err(format!(
                "robots.unreachable_after is {}; it must be at least 24h (a long time, RFC 9309)",
                self.unreachable_after
            ));
        }
        at_least("robots.retry_after in seconds", self.retry_after.0.as_secs(), 1)?;
        at_least("robots.cache_bytes", self.cache_bytes as u64, 1 << 20)
    }
}
