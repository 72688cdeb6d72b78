//! Error responses: a JSON body, and the headers that some statuses require.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response};
use serde::Serialize;

use crate::api::ApiError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"backlinks\"");
/// The challenge for a wrong token (RFC 6750, section 3.1).
const TOKEN_CHALLENGE: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"backlinkd\", error=\"invalid_token\"");

#[derive(Serialize)]
struct ErrorReply<'a> {
    status: u16,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<(usize, usize)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// Returns the response for an error.
pub(crate) fn of(error: &ApiError) -> Response<Bytes> {
    let status = error.status();
    let detail = error.detail();
    let reply = ErrorReply {
        status: status.as_u16(),
        error: error.to_string(),
        parameter: detail.map(|detail| detail.parameter.as_str()),
        at: detail.and_then(|detail| detail.at),
        code: detail.map(|detail| detail.code.as_str()),
    };
    // Serializing plain fields cannot fail.
    let mut response = Response::new(Bytes::from(serde_json::to_vec(&reply).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match error {
        ApiError::Unauthorized => {
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        ApiError::UnknownToken => {
            headers.insert(WWW_AUTHENTICATE, TOKEN_CHALLENGE);
        }
        ApiError::NoSuchRange(bytes) => {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}")) {
                headers.insert(CONTENT_RANGE, range);
            }
        }
        ApiError::MethodNotAllowed { allow, .. } => {
            if let Ok(allow) = HeaderValue::from_str(allow) {
                headers.insert(ALLOW, allow);
            }
        }
        _ => {}
    }
    response
}
