//! The body of a POST request: JSON, by its Content-Type.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::ApiError;
use super::params::shorten;
use super::shape::Body;

/// The body of a request, read to its end.
#[derive(Debug)]
pub struct Posted {
    /// Empty when the request names none.
    content_type: String,
    bytes: Vec<u8>,
}

impl Posted {
    pub fn new(headers: &HeaderMap, bytes: Vec<u8>) -> Self {
        let named = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self { content_type: named.unwrap_or_default().into_owned(), bytes }
    }

    /// What the body says.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for another Content-Type than `application/json`, for malformed JSON, and for JSON
    /// that says something else.
    pub fn json<T: DeserializeOwned>(&self, wanted: Option<Body>) -> Result<T, ApiError> {
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::BadRequest(format!(
                "the Content-Type of the body is \"{}\"; it must be application/json",
                shorten(media_type)
            )));
        }
        serde_json::from_slice(&self.bytes).map_err(|error| {
            ApiError::BadRequest(format!(
                "the body cannot be read: {}; send JSON like {}",
                shorten(&error.to_string()),
                wanted.map_or("null", |body| body.example)
            ))
        })
    }
}
