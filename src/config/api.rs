//! `[api]`: the HTTP API.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Whether `/metrics` is answered without credentials.
    pub metrics_open: bool,
    /// Rows of one answer at most.
    pub max_limit: usize,
    /// Bytes of a request's query string at most.
    pub max_query_bytes: usize,
    /// Bytes of a request's body at most.
    pub max_body_bytes: usize,
    /// URLs that one request may ask about at most.
    pub max_urls: usize,
    /// Targets that one request to linkintersect may name at most, and exclusions.
    pub max_targets: usize,
    /// Redirects that redirectchain follows at most.
    pub max_redirects: usize,
    /// Longest time a query may take before it is answered with 503.
    pub deadline: Span,
    /// Time within which the index must be read for a probe.
    pub health_timeout: Span,
    /// Queries computed at once; further ones wait.
    pub max_concurrent_queries: usize,
    /// Threads that the large parts of queries are shared among; 0: one per core.
    pub query_threads: usize,
    /// Verified credentials remembered at most, so that a password is not hashed for every request.
    pub credential_cache_entries: usize,
    /// How long verified credentials are remembered.
    pub credential_cache_ttl: Span,
    /// Bytes of answers kept to be given again while the index is unchanged. 0: none.
    pub answer_cache_bytes: u64,
    /// Bytes from which on an answer is compressed for clients that take it.
    pub compress_min_bytes: usize,
    /// Bytes of CSV or JSONL collected before an answer is sent piece by piece, and of each piece.
    pub stream_piece_bytes: usize,
    /// Answers in CSV or JSONL under way at once; further ones wait.
    pub max_concurrent_streams: usize,
    /// Requests a second that a user may go on with. 0: any number.
    pub rate_limit_per_second: u32,
    /// Requests that a user may make at once after a pause.
    pub rate_limit_burst: u32,
    /// Users and addresses whose rate is remembered at most.
    pub rate_limit_clients: usize,
}

/// Targets that the answers of linkintersect have columns for.
const MOST_TARGETS: usize = 20;

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_open: false,
            max_limit: 10_000,
            max_query_bytes: 48 << 10,
            max_body_bytes: 1 << 20,
            max_urls: 1_000,
            max_targets: MOST_TARGETS,
            max_redirects: 20,
            deadline: Span::seconds(60),
            health_timeout: Span::seconds(1),
            max_concurrent_queries: 64,
            query_threads: 0,
            credential_cache_entries: 1_000,
            credential_cache_ttl: Span::seconds(60),
            answer_cache_bytes: 64 << 20,
            compress_min_bytes: 1_400,
            stream_piece_bytes: 256 << 10,
            max_concurrent_streams: 16,
            rate_limit_per_second: 0,
            rate_limit_burst: 100,
            rate_limit_clients: 10_000,
        }
    }
}

impl ApiConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("api.max_limit", self.max_limit as u64, 1)?;
        at_least("api.max_query_bytes", self.max_query_bytes as u64, 1_024)?;
        at_least("api.max_body_bytes", self.max_body_bytes as u64, 1_024)?;
        at_least("api.max_urls", self.max_urls as u64, 1)?;
        if !(2..=MOST_TARGETS).contains(&self.max_targets) {
            return Err(format!(
                "api.max_targets is {}; it must be from 2 to {MOST_TARGETS}",
                self.max_targets
            ));
        }
        at_least("api.max_redirects", self.max_redirects as u64, 1)?;
        at_least("api.health_timeout in milliseconds", self.health_timeout.0.as_millis() as u64, 1)?;
        at_least("api.max_concurrent_queries", self.max_concurrent_queries as u64, 1)?;
        at_least("api.stream_piece_bytes", self.stream_piece_bytes as u64, 1_024)?;
        at_least("api.max_concurrent_streams", self.max_concurrent_streams as u64, 1)?;
        at_least("api.rate_limit_burst", u64::from(self.rate_limit_burst), 1)?;
        at_least("api.rate_limit_clients", self.rate_limit_clients as u64, 1)
    }
}
