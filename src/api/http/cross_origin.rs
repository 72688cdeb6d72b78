//! Requests of pages of other origins (CORS, WHATWG Fetch Standard), such as notebooks. Browsers let a page read a
//! response only if it names the origin of the page.
//!
//! Only the origins in `api.allow_origins` are named. Cookies are never allowed, so that a page must send a token.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::Reply;
use warp::reply::Response;

use super::connection::RequestHead;

/// Seconds for which a browser remembers what is allowed.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, If-Match, If-None-Match, If-Range, MCP-Protocol-Version, Range, X-Requested-With",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Backlinkd-As-Of, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After, \
     X-Export-Finished, X-Next, X-Total-Count, X-Warnings",
);

/// The origins whose pages may read responses.
pub(crate) struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.to_ascii_lowercase()).collect())
    }

    /// Whether the request comes from a page of an allowed origin.
    pub(crate) fn contains_origin_of(&self, request: &HeaderMap) -> bool {
        self.allowed(request).is_some()
    }

    fn allowed<'r>(&self, request: &'r HeaderMap) -> Option<&'r HeaderValue> {
        let origin = request.get(ORIGIN)?;
        self.0.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// Returns the response to a preflight request, which asks whether a request may be sent. It has no credentials.
    pub(crate) fn preflight(&self, head: &RequestHead) -> Option<Response> {
        let is_preflight =
            head.method == Method::OPTIONS && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || self.allowed(&head.headers).is_none() {
            return None;
        }
        head.exchange.mark_request_read();
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(response)
    }

    /// Adds the headers of a response. Without allowed origins, there are none.
    pub(crate) fn write_headers(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        response.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
}
