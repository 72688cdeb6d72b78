//! The connections that are kept for the next fetch from their servers.
//!
//! Each server, which is a scheme, host and port at an address, has an HTTP client of its own, whose pool holds its one
//! idle connection. The client knows one address and can connect to no other, nor use a connection that was made to
//! another. Of the clients, `fetch.max_idle_connections` are kept; the one used longest ago is dropped first, and its
//! idle connection is closed with it. A fetch under way with a client that was dropped ends as it would have, and its
//! connection is closed after it.
//!
//! So that a client costs next to nothing, all share most of one TLS configuration, for which certificates are read
//! once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect, retry};
use rustls::ClientConfig;

use super::FetchError;
use super::address::AddressBook;
use super::failure::Failure;
use super::protocol::Protocol;
use super::tls::{Chain, Download, ServerVerifier, Tls};
use crate::config::FetchConfig;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

/// Bytes of the header fields of one response at most, as the HTTP client has it for HTTP/1.1.
const MOST_HEADER_LIST_BYTES: u32 = 400_000;

/// Bytes of a body that a server may send over HTTP/2 before they are taken. A connection carries one body at a time; at
/// a tenth of a second to the server and back it brings 2.5 MB a second.
const HTTP2_WINDOW: u32 = 256 << 10;

/// Scheme, host and port as in a URL, where that is, and how it is asked.
type Server = (bool, Box<str>, SocketAddr, Protocol);

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    clients: Mutex<Lru<Server, (Client, Arc<ServerVerifier>)>>,
    tls: Tls,
    headers: HeaderMap,
    config: FetchConfig,
}

impl Connections {
    /// Every request will carry `headers`.
    ///
    /// # Errors
    /// [`FetchError`] when `fetch.extra_ca` cannot be used, or no TLS can be set up.
    pub fn new(config: &FetchConfig, headers: &HeaderMap) -> Result<Self, FetchError> {
        Ok(Self {
            clients: Mutex::new(Lru::new(config.max_idle_connections)),
            tls: Tls::new(config)?,
            headers: headers.clone(),
            config: config.clone(),
        })
    }

    /// The client that asks a URL's server at a place, and the verifier of that server; port 0 stands for the URL's own.
    ///
    /// # Errors
    /// [`Failure`] when none can be made.
    pub fn client(
        &self,
        url: &CanonicalUrl,
        place: SocketAddr,
        protocol: Protocol,
    ) -> Result<(Client, Arc<ServerVerifier>), Failure> {
        let server: Server = (url.is_https(), url.authority().into(), place, protocol);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&server) {
            return Ok(known.clone());
        }
        let (tls, verifier) = self.tls.server();
        let client = (self.build(place, protocol, tls).map_err(Failure::from)?, verifier);
        clients.insert(server, client.clone(), 1);
        Ok(client)
    }

    /// The TLS of a connection to a server that is made without a client, and the verifier of that server.
    pub fn tls(&self) -> (ClientConfig, Arc<ServerVerifier>) {
        self.tls.server()
    }

    /// Fetches the certificates that the chain of a server lacks, so that another handshake may succeed.
    ///
    /// # Errors
    /// [`Failure`] when it cannot.
    pub async fn complete(
        &self,
        chain: &Chain,
        server: &ServerVerifier,
        addresses: &AddressBook,
    ) -> Result<(), Failure> {
        let FetchConfig { issuer_timeout, max_issuer_bytes, max_issuer_urls, .. } = self.config;
        let download = Download {
            connections: self,
            addresses,
            timeout: issuer_timeout.0,
            max_bytes: max_issuer_bytes,
            max_redirects: max_issuer_urls,
        };
        self.tls.complete(chain, server, &download).await
    }

    fn build(
        &self,
        place: SocketAddr,
        protocol: Protocol,
        mut tls: ClientConfig,
    ) -> Result<Client, reqwest::Error> {
        let config = &self.config;
        let mut builder = Client::builder();
        if protocol != Protocol::Negotiated {
            builder = builder.http1_only();
            tls.alpn_protocols.retain(|name| name != b"h2");
        }
        builder
            .default_headers(self.headers.clone())
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
            .http1_max_headers(config.max_headers)
            // What is beyond fetch.max_header_bytes is left out afterwards.
            .http2_max_header_list_size(MOST_HEADER_LIST_BYTES)
            // What a server may send of a body that waits for room.
            .http2_initial_stream_window_size(HTTP2_WINDOW)
            .http2_initial_connection_window_size(HTTP2_WINDOW)
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Place(place)))
            .build()
    }
}

/// The one place that a client connects to, as its resolver.
struct Place(SocketAddr);

impl Resolve for Place {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}
