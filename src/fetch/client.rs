//! The client that asks servers for pages.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::Response;

use super::address::AddressBook;
use super::connections::Connections;
use super::failure::{Blame, Failure};
use super::receive::{self, Pace, Wanted};
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
/// * A host is asked at the address whose turn it is, and at no other.
/// * Redirects are not followed: the target needs a permit, an address check and a turn of its own.
/// * Connection, request and answer share one deadline, `fetch.timeout`; up to the last header
///   it is `fetch.first_byte_timeout`. A body must then keep a pace, `fetch.min_bytes_per_second`.
/// * Of a page, only HTML has its body read, up to `fetch.max_body_bytes`; beyond, the connection is dropped. It
///   is not decoded here.
/// * An answer has `fetch.max_headers` of `fetch.max_header_bytes` at most, or is [`FailureKind::Protocol`]. (Over
///   HTTP/1.1 the client reads up to 400 kB before it can tell.)
#[derive(Debug)]
pub struct Fetcher {
    connections: Connections,
    addresses: AddressBook,
    /// What every request carries.
    headers: HeaderMap,
    config: FetchConfig,
    pace: Pace,
}

/// What is asked for in one request.
#[derive(Clone, Copy)]
struct Request<'a> {
    url: &'a CanonicalUrl,
    /// The address that is asked.
    at: IpAddr,
    validators: Option<&'a Validators>,
    wanted: Wanted,
    max_bytes: usize,
}

impl Fetcher {
    /// # Errors
    /// [`FetchError`] when a file that the configuration names cannot be used, or no TLS can be set up.
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        let headers = request_headers(config)?;
        Ok(Self {
            connections: Connections::new(config, &headers)?,
            addresses: AddressBook::new(config)?,
            headers,
            pace: Pace::new(config),
            config: config.clone(),
        })
    }

    /// The address book, which knows a host's address before it is fetched from.
    pub fn addresses(&self) -> &AddressBook {
        &self.addresses
    }

    /// The product token by which robots.txt files and robots directives name us.
    pub fn token(&self) -> &str {
        &self.config.user_agent
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

    /// Fetches the page that the permit is for from its host at an address. With validators the server may answer
    /// 304.
    ///
    /// # Errors
    /// [`Failure`] that is not the host's: it was not asked.
    pub async fn fetch(
        &self,
        permit: Allowed,
        at: IpAddr,
        validators: Option<&Validators>,
    ) -> Result<FetchOutcome, Failure> {
        let (url, max_bytes) = (permit.url(), self.config.max_body_bytes);
        outcome(self.ask(Request { url, at, validators, wanted: Wanted::Html, max_bytes }).await)
    }

    /// Fetches what is no page, a sitemap for example: a body of any type, up to `max_bytes`.
    ///
    /// # Errors
    /// As of [`Self::fetch`].
    pub async fn fetch_file(
        &self,
        permit: Allowed,
        at: IpAddr,
        max_bytes: usize,
    ) -> Result<FetchOutcome, Failure> {
        outcome(self.get(permit.url(), at, max_bytes).await)
    }

    /// Fetches without a permit: for robots.txt files only.
    pub(super) async fn get(
        &self,
        url: &CanonicalUrl,
        at: IpAddr,
        max_bytes: usize,
    ) -> Result<Answer, Failure> {
        self.ask(Request { url, at, validators: None, wanted: Wanted::Any, max_bytes }).await
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let exchange = self.exchange(request);
        let result = within(self.config.timeout.0, "complete answer", "fetch.timeout", exchange).await;
        if let Err(Failure {
            kind: FailureKind::Connect | FailureKind::Timeout, blame: Blame::Host, ..
        }) = result
        {
            self.addresses.move_on(request.url.host(), request.at);
        }
        let (answer, unread) = result?;
        if let Some(response) = unread {
            // The answer is complete. A new connection would take no longer than that.
            receive::skip(response, self.config.skip_body_bytes, self.config.connect_timeout.0).await;
        }
        Ok(answer)
    }

    /// An answer, and what of it nobody reads.
    async fn exchange(&self, request: Request<'_>) -> Result<(Answer, Option<Response>), Failure> {
        let head = self.head(request);
        let (response, answer) =
            within(self.config.first_byte_timeout.0, "headers", "fetch.first_byte_timeout", head).await?;
        self.check_headers(&answer.headers)?;
        self.receive(request, response, answer).await
    }

    /// Asks, and reads the answer up to the last of its headers.
    async fn head(
        &self,
        Request { url, at, validators, .. }: Request<'_>,
    ) -> Result<(Response, Answer), Failure> {
        let place = self.addresses.place(url, at)?;
        let client = self.connections.client(url, place)?;
        let sent = client.get(url.as_str()).headers(conditions(validators)).send().await;
        let mut response = sent.map_err(|error| Failure::of(error, place.is_ipv6()))?;
        let ip = response.remote_addr().map_or(at, |peer| peer.ip().to_canonical());
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let answer = Answer::new(status, response.version(), headers, ip);
        Ok((response, answer))
    }

    async fn receive(
        &self,
        Request { wanted, max_bytes, .. }: Request<'_>,
        mut response: Response,
        mut answer: Answer,
    ) -> Result<(Answer, Option<Response>), Failure> {
        let received = match wanted {
            Wanted::Any => receive::any(&mut response, max_bytes, self.pace).await?,
            Wanted::Html => {
                let encoded = !answer.content_encoding.is_empty();
                let content_type = answer.content_type.as_deref();
                receive::html(&mut response, content_type, encoded, max_bytes, self.pace).await?
            }
        };
        (answer.body, answer.truncated, answer.unread) = (received.bytes, received.cut, received.unread);
        let unread = answer.unread.then_some(response);
        Ok((answer, unread))
    }

    /// # Errors
    /// [`FailureKind::Protocol`] when there are more than an answer may have.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let (most, most_bytes) = (self.config.max_headers, self.config.max_header_bytes);
        let count = headers.len();
        let too_many = |what: String| Err(Failure::new(FailureKind::Protocol, what));
        if count > most {
            return too_many(format!("the answer has {count} headers, more than {most} (fetch.max_headers)"));
        }
        if bytes > most_bytes {
            let what = format!("the answer's headers have {bytes} bytes, more than {most_bytes}");
            return too_many(format!("{what} (fetch.max_header_bytes)"));
        }
        Ok(())
    }
}

/// What is to be told of an exchange. That nobody was asked says nothing of the page.
fn outcome(result: Result<Answer, Failure>) -> Result<FetchOutcome, Failure> {
    match result {
        Err(failure) if failure.blame != Blame::Host => Err(failure),
        result => Ok(result.into()),
    }
}

/// What comes of an exchange in time; what did not come otherwise, by the name of the limit.
async fn within<T>(
    limit: Duration,
    what: &str,
    key: &str,
    exchange: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| {
        let detail = format!("no {what} within {} ms ({key})", limit.as_millis());
        Err(Failure::new(FailureKind::Timeout, detail))
    })
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
