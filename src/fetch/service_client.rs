//! The client of a service that the operator names, such as the API of another backlinkd. It obeys no robots.txt and
//! checks no addresses, so it must not fetch what a page names.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};
use reqwest::{Client, redirect};
use url::Url;

use super::error_chain::{chain, join_causes};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time between two parts of a response, which may have to be computed first.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// Maximum size of a response in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

/// A client with a token.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    client: Client,
    base: Url,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ServiceClientError {
    #[error("the token has characters that no token has; copy it as `backlinkd token add` prints it")]
    Token(#[from] InvalidHeaderValue),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] reqwest::Error),
}

/// A response with its whole body.
#[derive(Debug)]
pub struct ServiceResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl ServiceClient {
    /// A client of the service at `base`, which sends the token if there is one.
    ///
    /// # Errors
    /// [`ServiceClientError`].
    pub fn new(base: Url, token: Option<&str>) -> Result<Self, ServiceClientError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A token must not go to another host.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, base })
    }

    /// Sends a GET request with this path, which begins with `/`, and query.
    ///
    /// # Errors
    /// A sentence about a request without a response.
    pub async fn get(&self, path_and_query: &str) -> Result<ServiceResponse, String> {
        let base = self.base.as_str().trim_end_matches('/');
        let failed =
            |error: reqwest::Error| format!("{} does not answer: {}", self.base, join_causes(chain(&error)));
        let sent = self.client.get(format!("{base}{path_and_query}")).send().await;
        let mut response = sent.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(failed)? {
            if body.len() + part.len() > MAX_BODY_BYTES {
                return Err(format!("the response of {} has more than {MAX_BODY_BYTES} bytes", self.base));
            }
            body.extend_from_slice(&part);
        }
        Ok(ServiceResponse { status, headers, body: body.freeze() })
    }
}
