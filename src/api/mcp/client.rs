//! The client of the API that tools use: in this process, or over HTTP.

use std::future::Future;

use bytes::Bytes;

/// The reply of the API to a GET request.
#[derive(Clone, Debug, Default)]
pub struct ApiAnswer {
    pub status: u16,
    /// The header `Backlinkd-As-Of`.
    pub as_of: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    pub body: Bytes,
}

/// A client of the API.
pub trait ApiClient: Clone + Send + Sync + 'static {
    /// Sends a GET request with this path and query.
    ///
    /// The error is a sentence about a request that got no reply.
    fn get(&self, path_and_query: String) -> impl Future<Output = Result<ApiAnswer, String>> + Send;
}
