//! The client that asks servers for pages.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::Response;
use tokio::time::Instant;

use super::address::AddressBook;
use super::connections::Connections;
use super::cookies::CookieJar;
use super::failure::{Blame, Failure};
use super::memory::Memory;
use super::protocol::{Protocol, ProtocolFault, Protocols};
use super::receive::{self, Limits, Pace, Wanted};
use super::robots::Allowed;
use super::{Answer, FetchError, FetchOutcome, tolerant};
use crate::config::FetchConfig;
use crate::model::{FailureKind, TlsFlaw};
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
/// * A request that fails because of its protocol is made again by another (see `super::protocol`).
/// * Of a page, only HTML has its body read, up to `fetch.max_body_bytes`; beyond, the connection is dropped. It
///   is not decoded here.
/// * Of an answer's header fields, those beyond `fetch.max_headers` or `fetch.max_header_bytes` are left out and
///   counted, unless the crawl reads them. (Over HTTP/1.1 a head of more than 400 kB is
///   [`FailureKind::Protocol`].)
#[derive(Debug)]
pub struct Fetcher {
    connections: Connections,
    protocols: Protocols,
    addresses: AddressBook,
    /// What every request carries.
    headers: HeaderMap,
    config: FetchConfig,
    pace: Pace,
    memory: Memory,
}

/// What is asked for in one request.
#[derive(Clone, Copy)]
struct Request<'a> {
    url: &'a CanonicalUrl,
    /// The address that is asked.
    at: IpAddr,
    validators: Option<&'a Validators>,
    cookies: Option<&'a CookieJar>,
    wanted: Wanted,
    max_bytes: usize,
}

impl Fetcher {
    /// # Errors
    /// [`FetchError`] when a file that the configuration names cannot be used, or no TLS can be set up.
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        Self::within(config, Memory::unlimited())
    }

    /// One whose answers have their room in this memory.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn within(config: &FetchConfig, memory: Memory) -> Result<Self, FetchError> {
        let headers = request_headers(config)?;
        Ok(Self {
            connections: Connections::new(config, &headers)?,
            protocols: Protocols::new(config.protocol_cache_servers),
            addresses: AddressBook::new(config)?,
            headers,
            pace: Pace::new(config),
            config: config.clone(),
            memory,
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
    pub fn request_headers(
        &self,
        url: &CanonicalUrl,
        validators: Option<&Validators>,
        cookies: Option<&CookieJar>,
    ) -> HeaderMap {
        let mut headers = self.headers.clone();
        if let Ok(host) = HeaderValue::from_str(url.authority()) {
            headers.insert(header::HOST, host);
        }
        headers.extend(own_headers(url, validators, cookies));
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
        cookies: Option<&CookieJar>,
    ) -> Result<FetchOutcome, Failure> {
        let (url, max_bytes) = (permit.url(), self.config.max_body_bytes);
        outcome(self.ask(Request { url, at, validators, cookies, wanted: Wanted::Html, max_bytes }).await)
    }

    /// Fetches what is no page, a sitemap for example: a body of any type, up to `max_bytes`.
    ///
    /// # Errors
    /// As of [`Self::fetch`].
    pub async fn fetch_file(
        &self,
        permit: Allowed,
        at: IpAddr,
        cookies: Option<&CookieJar>,
        max_bytes: usize,
    ) -> Result<FetchOutcome, Failure> {
        outcome(self.get(permit.url(), at, cookies, max_bytes).await)
    }

    /// Fetches without a permit: for robots.txt files only.
    pub(super) async fn get(
        &self,
        url: &CanonicalUrl,
        at: IpAddr,
        cookies: Option<&CookieJar>,
        max_bytes: usize,
    ) -> Result<Answer, Failure> {
        self.ask(Request { url, at, validators: None, cookies, wanted: Wanted::Any, max_bytes }).await
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.config.timeout.0;
        let mut first_failure = None;
        let (result, unread, begun) = loop {
            let protocol = self.protocols.of(request.url);
            let mut exchanged = self.exchange(request, protocol, deadline).await;
            if let Err(failure) = &mut exchanged
                && failure.kind == FailureKind::Tls
                && protocol != Protocol::Negotiated
            {
                // It speaks HTTP/2 alone, and that badly.
                self.protocols.forget(request.url);
                *failure = first_failure.take().unwrap_or_else(|| failure.clone());
                failure.fault = None;
            }
            let fault = match &exchanged {
                Ok(exchanged) => exchanged.fault,
                Err(failure) => failure.fault,
            };
            if self.protocols.learn(request.url, protocol, fault) {
                first_failure = first_failure.or(exchanged.err());
            } else {
                break exchanged.map_or_else(
                    |failure| (Err(failure), None, false),
                    |Exchanged { answer, unread, begun, .. }| (Ok(answer), unread, begun),
                );
            }
        };
        if let Err(Failure {
            kind: FailureKind::Connect | FailureKind::Timeout, blame: Blame::Host, ..
        }) = result
        {
            self.addresses.move_on(request.url.host(), request.at);
        }
        let mut answer = result?;
        if let Some(response) = unread {
            // The answer is complete. A new connection would take no longer than that.
            let patience = self.config.connect_timeout.0;
            let is_empty = receive::skip(response, self.config.skip_body_bytes, patience).await;
            answer.unread = begun || !is_empty;
        }
        Ok(answer)
    }

    async fn exchange(
        &self,
        request: Request<'_>,
        protocol: Protocol,
        deadline: Instant,
    ) -> Result<Exchanged, Failure> {
        let until = deadline.min(Instant::now() + self.config.first_byte_timeout.0);
        let head = match protocol {
            Protocol::TolerantHttp1 => tokio::time::timeout_at(until, self.tolerant_head(request)).await,
            _ => tokio::time::timeout_at(until, self.head(request, protocol)).await,
        };
        let (response, answer) = head.unwrap_or_else(|_| Err(self.headers_too_late(until < deadline)))?;
        self.receive(request, deadline, response, answer).await
    }

    fn headers_too_late(&self, first_byte: bool) -> Failure {
        let (limit, key) = match first_byte {
            true => (self.config.first_byte_timeout.0, "fetch.first_byte_timeout"),
            false => (self.config.timeout.0, "fetch.timeout"),
        };
        let detail = format!("no headers within {} ms ({key})", limit.as_millis());
        Failure::new(FailureKind::Timeout, detail)
    }

    /// Asks, and reads the answer up to the last of its headers.
    async fn head(
        &self,
        Request { url, at, validators, cookies, .. }: Request<'_>,
        protocol: Protocol,
    ) -> Result<(Response, Answer), Failure> {
        let place = self.addresses.place(url, at)?;
        let (client, server) = self.connections.client(url, place, protocol)?;
        let send = || async {
            let sent = client.get(url.as_str()).headers(own_headers(url, validators, cookies)).send().await;
            sent.map_err(|error| Failure::of(error, place.is_ipv6()))
        };
        let mut sent = send().await;
        if let Err(Failure { incomplete: Some(chain), .. }) = &sent {
            self.connections.complete(chain, &server, &self.addresses).await?;
            sent = send().await;
        }
        let response = sent?;
        if tolerant::hides_chunks(response.headers()) {
            let failure = Failure::new(
                FailureKind::Protocol,
                "Transfer-Encoding ends with another coding than chunked",
            );
            return Err(Failure { fault: Some(ProtocolFault::Chunks), ..failure });
        }
        let ip = response.remote_addr().map_or(at, |peer| peer.ip().to_canonical());
        Ok(self.answer_of(response, ip, 0, server.flaw()))
    }

    /// Asks over a connection of its own, whose heads are read tolerantly.
    async fn tolerant_head(
        &self,
        Request { url, at, validators, cookies, .. }: Request<'_>,
    ) -> Result<(Response, Answer), Failure> {
        let place = self.addresses.place(url, at)?;
        let (headers, most) = (self.request_headers(url, validators, cookies), self.config.max_headers);
        let connect_timeout = self.config.connect_timeout.0;
        let (tls, server) = self.connections.tls();
        let get = || tolerant::get(url, place, &tls, headers.clone(), most, connect_timeout);
        let mut got = get().await;
        if let Err(Failure { incomplete: Some(chain), .. }) = &got {
            self.connections.complete(chain, &server, &self.addresses).await?;
            got = get().await;
        }
        let (response, dropped) = got?;
        Ok(self.answer_of(response, at, dropped, server.flaw()))
    }

    /// The head of a response, apart from it.
    fn answer_of(
        &self,
        mut response: Response,
        ip: IpAddr,
        dropped: usize,
        tls: Option<TlsFlaw>,
    ) -> (Response, Answer) {
        let headers = std::mem::take(response.headers_mut());
        let (headers, more_dropped) = self.limit_headers(headers);
        let mut answer = Answer::new(response.status().as_u16(), response.version(), headers, ip);
        answer.dropped_headers = dropped + more_dropped;
        answer.tls = tls;
        (response, answer)
    }

    async fn receive(
        &self,
        Request { wanted, max_bytes, .. }: Request<'_>,
        deadline: Instant,
        mut response: Response,
        mut answer: Answer,
    ) -> Result<Exchanged, Failure> {
        let open_ended = receive::ends_with_connection(answer.version, &answer.headers);
        let limits = Limits { max_bytes, pace: self.pace, deadline, open_ended };
        let room = self.memory.room();
        let received = match wanted {
            Wanted::Any => receive::any(&mut response, limits, room).await?,
            Wanted::Html => {
                let (media_type, encodings) = (answer.media_type.as_ref(), &answer.content_encoding);
                receive::html(&mut response, media_type, encodings, limits, room).await?
            }
        };
        (answer.body, answer.unread) = (received.bytes, received.unread);
        (answer.cut, answer.cause) = (received.cut, received.cause);
        (answer.room, answer.waited) = (received.room, received.waited);
        let unread = answer.unread.then_some(response);
        Ok(Exchanged { answer, unread, begun: received.begun, fault: received.fault })
    }

    /// The header fields that are kept, and how many are left out.
    fn limit_headers(&self, headers: HeaderMap) -> (HeaderMap, usize) {
        let (most, most_bytes) = (self.config.max_headers, self.config.max_header_bytes);
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if headers.len() <= most && bytes <= most_bytes {
            return (headers, 0);
        }
        let (mut kept, mut left) = (HeaderMap::new(), most_bytes);
        for (name, value) in &headers {
            let rest = left.checked_sub(name.as_str().len() + value.len());
            if tolerant::is_read(name.as_str().as_bytes()) || (rest.is_some() && kept.len() < most) {
                left = rest.unwrap_or(left);
                kept.append(name, value.clone());
            }
        }
        let dropped = headers.len() - kept.len();
        (kept, dropped)
    }
}

/// What one request brought.
struct Exchanged {
    answer: Answer,
    /// The response whose body nobody reads.
    unread: Option<Response>,
    /// Whether a part of it was read all the same.
    begun: bool,
    /// Of a body that broke off: what another protocol may mend.
    fault: Option<ProtocolFault>,
}

/// What is to be told of an exchange. That nobody was asked says nothing of the page.
fn outcome(result: Result<Answer, Failure>) -> Result<FetchOutcome, Failure> {
    match result {
        Err(failure) if failure.blame != Blame::Host => Err(failure),
        result => Ok(result.into()),
    }
}

/// The headers of one request alone: its cookies, and what makes it conditional. A validator that cannot stand in a
/// header is left out.
fn own_headers(
    url: &CanonicalUrl,
    validators: Option<&Validators>,
    cookies: Option<&CookieJar>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(cookies) = cookies.and_then(|cookies| cookies.header(url)) {
        headers.insert(header::COOKIE, cookies);
    }
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
