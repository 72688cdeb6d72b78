//! The body of a POST request: JSON, according to its Content-Type.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::api::ApiError;
use crate::api::openapi::schema::BodySchema;
use crate::query::shorten;

/// A request body that was read to its end.
#[derive(Debug)]
pub struct JsonBody {
    /// Empty if the request declares none.
    content_type: String,
    bytes: Vec<u8>,
}

impl JsonBody {
    pub fn new(headers: &HeaderMap, bytes: Vec<u8>) -> Self {
        let content_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self { content_type: content_type.unwrap_or_default().into_owned(), bytes }
    }

    /// Parses the body.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a Content-Type other than `application/json`, for malformed JSON, and for JSON of
    /// another structure.
    pub fn parse<T: DeserializeOwned>(&self, schema: Option<BodySchema>) -> Result<T, ApiError> {
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
                schema.map_or("null", |body| body.example)
            ))
        })
    }
}
