//! The figures that the API reports about itself.

use std::sync::Arc;

use super::request_metrics::RequestMetrics;

/// The figures of the API at one moment. Names are values of labels.
pub struct ApiMetrics {
    pub requests: Arc<RequestMetrics>,
    /// Bytes of the response cache.
    pub cached_bytes: u64,
    /// Bytes of all responses in memory.
    pub response_bytes: u64,
    /// Open connections.
    pub connections: usize,
    /// The number of cuts for each reason.
    pub cuts: Vec<(&'static str, u64)>,
    pub queries: QueryMetrics,
    /// The number of logins for each outcome.
    pub logins: [(&'static str, u64); 4],
}

/// The queries of the API at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryMetrics {
    pub running: usize,
    /// Of the running ones, those that take long.
    pub long: usize,
    pub waiting: usize,
    /// Queries that a full queue refused since the start of the process.
    pub refused: u64,
    /// Long queries that were stopped since the start of the process.
    pub stopped: u64,
}
