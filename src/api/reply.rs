//! HTTP responses: JSON bodies, and the headers that errors need.

use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response};
use serde::Serialize;

use super::ApiError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"backlinks\"");

#[derive(Serialize)]
struct ErrorReply {
    status: u16,
    error: String,
}

/// The response to a request, answered or not.
pub fn response(answer: Result<Vec<u8>, ApiError>) -> Response<Vec<u8>> {
    let mut response = match &answer {
        Ok(_) => Response::default(),
        Err(error) => refusal(error),
    };
    if let Ok(body) = answer {
        *response.body_mut() = body;
    }
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn refusal(error: &ApiError) -> Response<Vec<u8>> {
    let status = error.status();
    let reply = ErrorReply { status: status.as_u16(), error: error.to_string() };
    // Two plain fields can always be written.
    let mut response = Response::new(serde_json::to_vec(&reply).unwrap_or_default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    match error {
        ApiError::Unauthorized => {
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
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
