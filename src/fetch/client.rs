//! The client that asks servers for pages.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Response, redirect, retry};

use super::address::{AddressBook, SchemeResolver};
use super::failure::Failure;
use super::robots::Allowed;
use super::{Answer, FetchError, FetchOutcome};
use crate::config::FetchConfig;
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;

const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";

/// What an earlier answer left for asking whether the page has changed since. Empty: the server sent none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: String,
    pub last_modified: String,
}

/// Asks servers for pages, one request and one answer at a time.
///
/// * A page is asked for with a permit that only [`super::RobotsCache`] gives.
/// * Redirects are not followed: the target needs a permit, an address check and a turn of its own.
/// * Name resolution, connection, request and answer share one deadline, `fetch.timeout`.
/// * The body is read up to `fetch.max_body_bytes`; beyond, the connection is dropped. It is not decoded here.
/// * Header sections are bounded by hyper: over HTTP/1.1 100 headers and some 400 kB, over HTTP/2 16 kB. Larger
///   ones are [`FailureKind::Protocol`].
#[derive(Debug)]
pub struct Fetcher {
    http: Client,
    https: Client,
    addresses: Arc<AddressBook>,
    /// What every request carries.
    headers: HeaderMap,
    token: String,
    timeout: Duration,
    max_body_bytes: usize,
}

impl Fetcher {
    /// # Errors
    /// [`FetchError`] when a file that the configuration names cannot be used, or no TLS can be set up.
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        let addresses = Arc::new(AddressBook::new(config)?);
        let authorities = read_authorities(config)?;
        let headers = request_headers(config)?;
        let client = |https| {
            build(config, &headers, &authorities, SchemeResolver { book: addresses.clone(), https })
                .map_err(|error| FetchError::Client(Failure::from(error).detail))
        };
        Ok(Self {
            http: client(false)?,
            https: client(true)?,
            addresses,
            headers,
            token: config.user_agent.clone(),
            timeout: config.timeout.0,
            max_body_bytes: config.max_body_bytes,
        })
    }

    /// The address book, which knows a host's address before it is fetched from.
    pub fn addresses(&self) -> &AddressBook {
        &self.addresses
    }

    /// The product token by which robots.txt files and robots directives name us.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The headers that a request for `url` carries, as the client sends them: for records of what was asked.
    pub fn request_headers(&self, url: &CanonicalUrl, validators: Option<&Validators>) -> HeaderMap {
        let mut headers = self.headers.clone();
        if let Ok(host) = HeaderValue::from_str(url.authority()) {
            headers.insert(header::HOST, host);
        }
        headers.extend(conditions(validators));
        headers
    }

    /// Fetches the page that the permit is for. With validators the server may answer 304.
    pub async fn fetch(&self, permit: Allowed, validators: Option<&Validators>) -> FetchOutcome {
        self.get(permit.url(), validators, self.max_body_bytes).await.into()
    }

    /// Fetches without a permit: for robots.txt files only.
    pub(super) async fn get(
        &self,
        url: &CanonicalUrl,
        validators: Option<&Validators>,
        max_bytes: usize,
    ) -> Result<Answer, Failure> {
        let exchange = self.exchange(url, validators, max_bytes);
        let result = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(
                FailureKind::Timeout,
                format!("no complete answer within {} ms (fetch.timeout)", self.timeout.as_millis()),
            )),
        };
        if let Err(Failure { kind: FailureKind::Connect | FailureKind::Timeout, .. }) = result {
            self.addresses.move_on(url.host());
        }
        result
    }

    async fn exchange(
        &self,
        url: &CanonicalUrl,
        validators: Option<&Validators>,
        max_bytes: usize,
    ) -> Result<Answer, Failure> {
        // First, because the client connects to an address in a URL without asking its resolver.
        let address = self.addresses.resolve(url).await?;
        let client = if url.is_https() { &self.https } else { &self.http };
        let mut response =
            client.get(url.as_str()).headers(conditions(validators)).send().await.map_err(Failure::from)?;
        let ip = response.remote_addr().map_or(address, |peer| peer.ip().to_canonical());
        let headers = std::mem::take(response.headers_mut());
        let mut answer = Answer::new(response.status().as_u16(), response.version(), headers, ip);
        (answer.body, answer.truncated) = read_body(&mut response, max_bytes).await?;
        Ok(answer)
    }
}

/// Reads up to `max_bytes`; says whether there was more.
async fn read_body(response: &mut Response, max_bytes: usize) -> Result<(Bytes, bool), Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::from)? {
        let room = max_bytes - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body.freeze(), true));
        }
    }
    Ok((body.freeze(), false))
}

/// The headers that make a request conditional. A validator that cannot stand in a header is left out.
fn conditions(validators: Option<&Validators>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: &str| {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    };
    if let Some(Validators { etag, last_modified }) = validators {
        add(header::IF_NONE_MATCH, etag);
        add(header::IF_MODIFIED_SINCE, last_modified);
    }
    headers
}

fn build(
    config: &FetchConfig,
    headers: &HeaderMap,
    authorities: &[Certificate],
    resolver: SchemeResolver,
) -> Result<Client, reqwest::Error> {
    Client::builder()
        .default_headers(headers.clone())
        .redirect(redirect::Policy::none())
        // The crawl alone decides when a server is asked again.
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(config.connect_timeout.0)
        // A host has one fetch at a time.
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(config.idle_timeout.0)
        // Headers that browsers put up with.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        // Added to the system's; with one of them, a system that has none will do.
        .tls_certs_merge(authorities.iter().cloned())
        .dns_resolver(Arc::new(resolver))
        .build()
}

/// What every request carries.
fn request_headers(config: &FetchConfig) -> Result<HeaderMap, FetchError> {
    let agent = HeaderValue::from_str(&user_agent(config));
    let agent = agent.map_err(|error| FetchError::Client(format!("fetch.contact: {error}")))?;
    Ok(HeaderMap::from_iter([
        (header::USER_AGENT, agent),
        (header::ACCEPT, HeaderValue::from_static(ACCEPT)),
        (header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPT_ENCODING)),
    ]))
}

fn user_agent(config: &FetchConfig) -> String {
    let product = format!("{}/{}", config.user_agent, env!("CARGO_PKG_VERSION"));
    if config.contact.is_empty() { product } else { format!("{product} (+{})", config.contact) }
}

fn read_authorities(config: &FetchConfig) -> Result<Vec<Certificate>, FetchError> {
    let file = &config.extra_ca;
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(file)
        .map_err(|error| FetchError::AuthoritiesUnreadable { file: file.clone(), error })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetchError::NoAuthorities(file.clone())),
    }
}
