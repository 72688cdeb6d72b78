//! The HTTP client of the crawler.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::connections::ConnectionPools;
use super::cookies::CookieJar;
use super::dns::PinnedAddresses;
use super::download::{self, BodyFilter, Limits, MinRate};
use super::failure::{Blame, Failure};
use super::memory::MemoryBudget;
use super::protocol::{Protocol, ProtocolFault, Protocols};
use super::robots::FetchPermit;
use super::{FetchError, FetchOutcome, Response, tolerant};
use crate::config::FetchConfig;
use crate::model::{FailureKind, TlsFlaw};
use crate::urls::CanonicalUrl;

const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";

/// The validators of an earlier response, for a conditional request. Empty: the server sent none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: String,
    pub last_modified: String,
}

/// Fetches pages, one request and one response at a time.
///
/// * A page needs a permit, which only [`super::RobotsCache`] gives.
/// * The request goes to the given address of the host and to no other.
/// * Redirects are not followed: the target needs its own permit, address check and turn.
/// * Connection, request and response share one deadline, `fetch.timeout`. The last header must come within
///   `fetch.first_byte_timeout`. The body must keep the rate `fetch.min_bytes_per_second`.
/// * A request that fails because of its protocol is repeated with another (see `super::protocol`).
/// * A page body is read only if it is HTML, up to `fetch.max_body_bytes`; beyond that the connection is dropped. The
///   body is not decoded here.
/// * Header fields beyond `fetch.max_headers` or `fetch.max_header_bytes` are dropped and counted. Fields that the
///   crawl reads are kept. (Over HTTP/1.1 a head of more than 400 kB is [`FailureKind::Protocol`].)
#[derive(Debug)]
pub struct Fetcher {
    connections: ConnectionPools,
    protocols: Protocols,
    addresses: PinnedAddresses,
    /// The headers of every request.
    headers: HeaderMap,
    config: FetchConfig,
    pace: MinRate,
    memory: MemoryBudget,
}

/// One request.
#[derive(Clone, Copy)]
struct FetchRequest<'a> {
    url: &'a CanonicalUrl,
    /// The address to connect to.
    ip: IpAddr,
    validators: Option<&'a Validators>,
    cookies: Option<&'a CookieJar>,
    wanted: BodyFilter,
    max_bytes: usize,
}

impl Fetcher {
    /// # Errors
    /// [`FetchError`] when a file of the configuration cannot be used, or TLS cannot be set up.
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        Self::with_memory(config, MemoryBudget::unlimited())
    }

    /// A fetcher whose responses reserve their memory in `memory`.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn with_memory(config: &FetchConfig, memory: MemoryBudget) -> Result<Self, FetchError> {
        let headers = request_headers(config)?;
        Ok(Self {
            connections: ConnectionPools::new(config, &headers)?,
            protocols: Protocols::new(config.protocol_cache_servers),
            addresses: PinnedAddresses::new(config)?,
            headers,
            pace: MinRate::new(config),
            config: config.clone(),
            memory,
        })
    }

    /// The addresses of hosts. A host must be resolved there before it is fetched from.
    pub fn addresses(&self) -> &PinnedAddresses {
        &self.addresses
    }

    /// The product token of this crawler in robots.txt files and robots directives.
    pub fn token(&self) -> &str {
        &self.config.user_agent
    }

    /// The headers that a request for `url` carries, as sent; for archived requests.
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

    /// Fetches the page of the permit from its host at an address. With validators the server may answer 304.
    ///
    /// # Errors
    /// [`Failure`] whose blame is not [`Blame::Host`]: no request was sent.
    pub async fn fetch(
        &self,
        permit: FetchPermit,
        ip: IpAddr,
        validators: Option<&Validators>,
        cookies: Option<&CookieJar>,
    ) -> Result<FetchOutcome, Failure> {
        let (url, max_bytes) = (permit.url(), self.config.max_body_bytes);
        outcome(
            self.request(FetchRequest { url, ip, validators, cookies, wanted: BodyFilter::Html, max_bytes })
                .await,
        )
    }

    /// Fetches a resource other than a page, such as a sitemap: a body of any type, up to `max_bytes`.
    ///
    /// # Errors
    /// As of [`Self::fetch`].
    pub async fn fetch_file(
        &self,
        permit: FetchPermit,
        ip: IpAddr,
        cookies: Option<&CookieJar>,
        max_bytes: usize,
    ) -> Result<FetchOutcome, Failure> {
        outcome(self.fetch_without_permit(permit.url(), ip, cookies, max_bytes).await)
    }

    /// Fetches without a permit; for robots.txt files only.
    pub(super) async fn fetch_without_permit(
        &self,
        url: &CanonicalUrl,
        ip: IpAddr,
        cookies: Option<&CookieJar>,
        max_bytes: usize,
    ) -> Result<Response, Failure> {
        self.request(FetchRequest { url, ip, validators: None, cookies, wanted: BodyFilter::Any, max_bytes })
            .await
    }

    async fn request(&self, request: FetchRequest<'_>) -> Result<Response, Failure> {
        let exchanged = self.exchange_until_accepted(request).await;
        if let Err(Failure {
            kind: FailureKind::Connect | FailureKind::Timeout, blame: Blame::Host, ..
        }) = exchanged
        {
            self.addresses.use_next_address(request.url.host(), request.ip);
        }
        let Exchanged { mut response, undrained, body_was_begun, .. } = exchanged?;
        if let Some(live) = undrained {
            // The response is complete. Draining must not take longer than a new connection.
            let patience = self.config.connect_timeout.0;
            let is_empty = download::drain(live, self.config.skip_body_bytes, patience).await;
            response.unread = body_was_begun || !is_empty;
        }
        Ok(response)
    }

    /// Repeats the exchange with other protocols while the server may understand one of them better.
    async fn exchange_until_accepted(&self, request: FetchRequest<'_>) -> Result<Exchanged, Failure> {
        let deadline = Instant::now() + self.config.timeout.0;
        let mut first_failure = None;
        loop {
            let protocol = self.protocols.protocol_of(request.url);
            let mut exchanged = self.exchange(request, protocol, deadline).await;
            if let Err(failure) = &mut exchanged
                && failure.kind == FailureKind::Tls
                && protocol != Protocol::Negotiated
            {
                // The server speaks HTTP/2 only, and does so badly.
                self.protocols.forget(request.url);
                *failure = first_failure.take().unwrap_or_else(|| failure.clone());
                failure.fault = None;
            }
            let fault = match &exchanged {
                Ok(exchanged) => exchanged.fault,
                Err(failure) => failure.fault,
            };
            if !self.protocols.record_outcome(request.url, protocol, fault) {
                return exchanged;
            }
            first_failure = first_failure.or(exchanged.err());
        }
    }

    async fn exchange(
        &self,
        request: FetchRequest<'_>,
        protocol: Protocol,
        deadline: Instant,
    ) -> Result<Exchanged, Failure> {
        let until = deadline.min(Instant::now() + self.config.first_byte_timeout.0);
        let head = match protocol {
            Protocol::TolerantHttp1 => tokio::time::timeout_at(until, self.send_tolerantly(request)).await,
            _ => tokio::time::timeout_at(until, self.send(request, protocol)).await,
        };
        let (live, response) = head.unwrap_or_else(|_| Err(self.headers_too_late(until < deadline)))?;
        self.receive(request, deadline, live, response).await
    }

    fn headers_too_late(&self, first_byte: bool) -> Failure {
        let (limit, key) = match first_byte {
            true => (self.config.first_byte_timeout.0, "fetch.first_byte_timeout"),
            false => (self.config.timeout.0, "fetch.timeout"),
        };
        let detail = format!("no headers within {} ms ({key})", limit.as_millis());
        Failure::new(FailureKind::Timeout, detail)
    }

    /// Sends a request and reads the response up to its last header.
    async fn send(
        &self,
        FetchRequest { url, ip, validators, cookies, .. }: FetchRequest<'_>,
        protocol: Protocol,
    ) -> Result<(reqwest::Response, Response), Failure> {
        let socket_addr = self.addresses.socket_addr(url, ip)?;
        let (client, server) = self.connections.client(url, socket_addr, protocol)?;
        let send = || async {
            let sent = client.get(url.as_str()).headers(own_headers(url, validators, cookies)).send().await;
            sent.map_err(|error| Failure::from_request_error(error, socket_addr.is_ipv6()))
        };
        let mut sent = send().await;
        if let Err(Failure { incomplete_chain: Some(chain), .. }) = &sent {
            self.connections.complete(chain, &server, &self.addresses).await?;
            sent = send().await;
        }
        let live = sent?;
        if tolerant::hides_chunks(live.headers()) {
            let failure = Failure::new(
                FailureKind::Protocol,
                "Transfer-Encoding ends with another coding than chunked",
            );
            return Err(Failure { fault: Some(ProtocolFault::Chunks), ..failure });
        }
        let peer = live.remote_addr().map_or(ip, |peer| peer.ip().to_canonical());
        Ok(self.split_response(live, peer, 0, server.flaw()))
    }

    /// Sends a request over a separate connection, whose response heads are read tolerantly.
    async fn send_tolerantly(
        &self,
        FetchRequest { url, ip, validators, cookies, .. }: FetchRequest<'_>,
    ) -> Result<(reqwest::Response, Response), Failure> {
        let socket_addr = self.addresses.socket_addr(url, ip)?;
        let (headers, most) = (self.request_headers(url, validators, cookies), self.config.max_headers);
        let connect_timeout = self.config.connect_timeout.0;
        let (tls, server) = self.connections.tls();
        let get = || tolerant::get(url, socket_addr, &tls, headers.clone(), most, connect_timeout);
        let mut got = get().await;
        if let Err(Failure { incomplete_chain: Some(chain), .. }) = &got {
            self.connections.complete(chain, &server, &self.addresses).await?;
            got = get().await;
        }
        let (live, dropped) = got?;
        Ok(self.split_response(live, ip, dropped, server.flaw()))
    }

    /// Separates the head of a response from its body.
    fn split_response(
        &self,
        mut live: reqwest::Response,
        ip: IpAddr,
        dropped: usize,
        tls: Option<TlsFlaw>,
    ) -> (reqwest::Response, Response) {
        let headers = std::mem::take(live.headers_mut());
        let (headers, more_dropped) = self.limit_headers(headers);
        let mut response = Response::new(live.status().as_u16(), live.version(), headers, ip);
        response.dropped_headers = dropped + more_dropped;
        response.tls = tls;
        (live, response)
    }

    async fn receive(
        &self,
        FetchRequest { wanted, max_bytes, .. }: FetchRequest<'_>,
        deadline: Instant,
        mut live: reqwest::Response,
        mut response: Response,
    ) -> Result<Exchanged, Failure> {
        let open_ended = download::ends_with_connection(response.version, &response.headers);
        let limits = Limits { max_bytes, pace: self.pace, deadline, open_ended };
        let reservation = self.memory.reservation();
        let received = match wanted {
            BodyFilter::Any => download::any(&mut live, limits, reservation).await?,
            BodyFilter::Html => {
                let (media_type, encodings) = (response.media_type.as_ref(), &response.content_encoding);
                download::html(&mut live, media_type, encodings, limits, reservation).await?
            }
        };
        (response.body, response.unread) = (received.bytes, received.unread);
        (response.cut, response.cause) = (received.cut, received.cause);
        (response.reservation, response.waited) = (received.reservation, received.waited);
        let undrained = response.unread.then_some(live);
        Ok(Exchanged { response, undrained, body_was_begun: received.begun, fault: received.fault })
    }

    /// The header fields to keep, and the number of dropped ones.
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

/// The result of one request.
struct Exchanged {
    response: Response,
    /// The response whose body is not needed.
    undrained: Option<reqwest::Response>,
    /// Whether a part of that body was read nevertheless.
    body_was_begun: bool,
    /// The fault of a body that broke off, if another protocol may avoid it.
    fault: Option<ProtocolFault>,
}

/// The outcome of an exchange. A request that was not sent says nothing about the page.
fn outcome(result: Result<Response, Failure>) -> Result<FetchOutcome, Failure> {
    match result {
        Err(failure) if failure.blame != Blame::Host => Err(failure),
        result => Ok(result.into()),
    }
}

/// The headers of a single request: cookies, and the validators of a conditional request. A validator that is not a
/// valid header value is left out.
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

/// The headers of every request.
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
