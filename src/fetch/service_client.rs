//! The client of a service that the operator names, such as the API of another backlinkd. It obeys no robots.txt and
//! checks no addresses, so it must not fetch what a page names.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use data_encoding::BASE64;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use reqwest::{Client, redirect};
use url::Url;

use super::error_chain::{chain, join_causes};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time between two parts of a response, which may have to be computed first.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// Maximum size of a response in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Maximum size of a path with its query in bytes: what URLs of this HTTP library can have, less those of the base.
const MAX_PATH_BYTES: usize = 60_000;

/// A client of one service.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    client: Client,
    base: Url,
}

/// What every request of a client tells about itself. Nothing by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceIdentity<'a> {
    pub credentials: Option<ServiceCredentials<'a>>,
    /// The host that requests name instead of that of the address.
    pub host: Option<&'a str>,
}

/// The credentials of a client.
#[derive(Clone, Copy, Debug)]
pub enum ServiceCredentials<'a> {
    /// Bearer token (RFC 6750).
    Token(&'a str),
    /// Name and password (Basic, RFC 7617).
    Password { user: &'a str, password: &'a str },
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ServiceClientError {
    #[error("the token has characters that no token has; copy it as `backlinkd token add` prints it")]
    Credentials(#[source] InvalidHeaderValue),
    #[error("the host name has characters that no host name has")]
    Host(#[source] InvalidHeaderValue),
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
    /// A client of the service at `base`.
    ///
    /// # Errors
    /// [`ServiceClientError`].
    pub fn new(base: Url, identity: ServiceIdentity<'_>) -> Result<Self, ServiceClientError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(credentials) = identity.credentials {
            let mut value =
                HeaderValue::from_str(&credentials.text()).map_err(ServiceClientError::Credentials)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(host) = identity.host {
            headers.insert(HOST, HeaderValue::from_str(host).map_err(ServiceClientError::Host)?);
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
        // The URL in the error may be as long as what a client asked for.
        let failed = |error: reqwest::Error| {
            format!("{} does not answer: {}", self.base, join_causes(chain(&error.without_url())))
        };
        if path_and_query.len() > MAX_PATH_BYTES {
            return Err(format!("the request is longer than {MAX_PATH_BYTES} bytes; ask for less at once"));
        }
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

impl ServiceCredentials<'_> {
    fn text(self) -> String {
        match self {
            Self::Token(token) => format!("Bearer {token}"),
            Self::Password { user, password } => {
                format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
            }
        }
    }
}
