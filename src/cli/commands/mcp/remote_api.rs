//! The API of another process, over HTTP.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use url::Url;

use crate::api::{ApiAnswer, ApiClient};
use crate::fetch::{ServiceClient, ServiceClientError, ServiceCredentials, ServiceIdentity};

/// The header with the state of the index.
const AS_OF: &str = "backlinkd-as-of";

/// A client with a token.
#[derive(Clone)]
pub(super) struct RemoteApi(ServiceClient);

impl RemoteApi {
    pub(super) fn new(base: Url, token: Option<&str>) -> Result<Self, ServiceClientError> {
        let credentials = token.map(ServiceCredentials::Token);
        ServiceClient::new(base, ServiceIdentity { credentials, host: None }).map(Self)
    }
}

impl ApiClient for RemoteApi {
    async fn get(&self, path_and_query: String) -> Result<ApiAnswer, String> {
        let response = self.0.get(&path_and_query).await?;
        let text = |headers: &HeaderMap, name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Ok(ApiAnswer {
            status: response.status,
            as_of: text(&response.headers, AS_OF),
            retry_after: text(&response.headers, RETRY_AFTER.as_str()),
            body: response.body,
        })
    }
}
