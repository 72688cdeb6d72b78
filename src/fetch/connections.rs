//! The pool of connections that are kept for the next fetch from the same server.
//!
//! A server is a scheme, host and port at an address. Each server has its own HTTP client, whose pool holds one idle
//! connection. The client knows one address. It cannot connect to another one, nor reuse a connection to another one.
//! At most `fetch.max_idle_connections` clients are kept. The least recently used one is dropped first, and its idle
//! connection closes with it. A fetch in flight over a dropped client completes normally, and its connection closes
//! afterwards.
//!
//! To keep clients cheap, all share most of one TLS configuration, for which certificates are read once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect, retry};
use rustls::ClientConfig;

use super::FetchError;
use super::dns::PinnedAddresses;
use super::failure::Failure;
use super::protocol::Protocol;
use super::tls::certificate::Chain;
use super::tls::{IssuerDownload, ServerVerifier, Tls};
use crate::config::FetchConfig;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

/// Maximum size of the header fields of a response, in bytes; the limit of the HTTP client for HTTP/1.1.
const MAX_HEADER_LIST_BYTES: u32 = 400_000;

/// Flow-control window of HTTP/2, in bytes. A connection carries one body at a time; with a round trip of a tenth of
/// a second, the window allows 2.5 MB per second.
const HTTP2_WINDOW: u32 = 256 << 10;

/// Whether the scheme is https, host and port as in the URL, the address, and the protocol.
type ServerKey = (bool, Box<str>, SocketAddr, Protocol);

/// The connection pool.
#[derive(Debug)]
pub(super) struct ConnectionPools {
    clients: Mutex<Lru<ServerKey, (Client, Arc<ServerVerifier>)>>,
    tls: Tls,
    headers: HeaderMap,
    config: FetchConfig,
}

impl ConnectionPools {
    /// `headers` are sent with every request.
    ///
    /// # Errors
    /// [`FetchError`] when `fetch.extra_ca` cannot be used, or TLS cannot be set up.
    pub(super) fn new(config: &FetchConfig, headers: &HeaderMap) -> Result<Self, FetchError> {
        Ok(Self {
            clients: Mutex::new(Lru::new(config.max_idle_connections)),
            tls: Tls::new(config)?,
            headers: headers.clone(),
            config: config.clone(),
        })
    }

    /// The client for the server of a URL at an address, and the verifier of that server. Port 0 means the port of
    /// the URL.
    ///
    /// # Errors
    /// [`Failure`] when the client cannot be built.
    pub(super) fn client(
        &self,
        url: &CanonicalUrl,
        socket_addr: SocketAddr,
        protocol: Protocol,
    ) -> Result<(Client, Arc<ServerVerifier>), Failure> {
        let server: ServerKey = (url.is_https(), url.authority().into(), socket_addr, protocol);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&server) {
            return Ok(known.clone());
        }
        let (tls, verifier) = self.tls.server();
        let client = (self.build(socket_addr, protocol, tls).map_err(Failure::from)?, verifier);
        clients.insert(server, client.clone(), 1);
        Ok(client)
    }

    /// The TLS configuration for a connection without a client, and the verifier of that server.
    pub(super) fn tls(&self) -> (ClientConfig, Arc<ServerVerifier>) {
        self.tls.server()
    }

    /// Fetches the missing certificates of a server's chain, so that another handshake may succeed.
    ///
    /// # Errors
    /// [`Failure`] when the chain stays incomplete.
    pub(super) async fn complete(
        &self,
        chain: &Chain,
        server: &ServerVerifier,
        addresses: &PinnedAddresses,
    ) -> Result<(), Failure> {
        let FetchConfig { issuer_timeout, max_issuer_bytes, max_issuer_urls, .. } = self.config;
        let download = IssuerDownload {
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
        socket_addr: SocketAddr,
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
            // Only the crawl decides when a server gets another request.
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(config.connect_timeout.0)
            // A host has one fetch at a time.
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(config.idle_timeout.0)
            // Malformed headers that browsers accept.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_max_headers(config.max_headers)
            // Fields beyond fetch.max_header_bytes are dropped afterwards.
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            // Bytes that a server may send while the body waits for memory.
            .http2_initial_stream_window_size(HTTP2_WINDOW)
            .http2_initial_connection_window_size(HTTP2_WINDOW)
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(FixedAddress(socket_addr)))
            .build()
    }
}

/// A DNS resolver that returns the one address of a client.
struct FixedAddress(SocketAddr);

impl Resolve for FixedAddress {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}
