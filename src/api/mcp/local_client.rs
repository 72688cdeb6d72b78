//! A client of the API in the same process: requests pass the same limits, caches and deadlines as those over HTTP.

use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};

use super::client::{ApiAnswer, ApiClient};
use crate::api::ApiError;
use crate::api::http::api_service::ApiService;
use crate::api::http::auth::Identity;
use crate::api::reply::error_response;
use crate::api::reply::headers::AS_OF;

/// A client whose requests come from an accepted identity.
#[derive(Clone)]
pub(super) struct LocalClient {
    pub service: Arc<ApiService>,
    pub identity: Identity,
}

impl ApiClient for LocalClient {
    async fn get(&self, path_and_query: String) -> Result<ApiAnswer, String> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((&path_and_query, ""));
        let response = match self.service.answer(path, query, &self.identity).await {
            Ok(representation) => representation.untagged_response(),
            Err(error) => {
                if let ApiError::Internal(cause) = &error {
                    tracing::error!(path, cause, "a request of a tool failed");
                }
                error_response::of(&error)
            }
        };
        let (parts, body) = response.into_parts();
        Ok(ApiAnswer {
            status: parts.status.as_u16(),
            as_of: text_of(&parts.headers, &HeaderName::from_static(AS_OF)),
            retry_after: text_of(&parts.headers, &RETRY_AFTER),
            body,
        })
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
