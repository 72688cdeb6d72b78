//! The connections that are kept for the next fetch from their servers.
//!
//! Each server, which is a scheme, host and port at an address, has an HTTP client of its own, whose pool holds its one
//! idle connection. The client knows one address and can connect to no other, nor use a connection that was made to
//! another. Of the clients, `fetch.max_idle_connections` are kept; the one used longest ago is dropped first, and its
//! idle connection is closed with it. A fetch under way with a client that was dropped ends as it would have, and its
//! connection is closed after it.
//!
//! So that a client costs next to nothing, all share one TLS configuration, for which certificates are read once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect, retry};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::FetchError;
use super::failure::Failure;
use super::protocol::Protocol;
use crate::config::FetchConfig;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

/// Scheme, host and port as in a URL, where that is, and how it is asked.
type Server = (bool, Box<str>, SocketAddr, Protocol);

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    clients: Mutex<Lru<Server, Client>>,
    tls: ClientConfig,
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
            tls: tls(config)?,
            headers: headers.clone(),
            config: config.clone(),
        })
    }

    /// The client that asks a URL's server at a place; port 0 stands for the URL's own.
    ///
    /// # Errors
    /// [`Failure`] when none can be made.
    pub fn client(
        &self,
        url: &CanonicalUrl,
        place: SocketAddr,
        protocol: Protocol,
    ) -> Result<Client, Failure> {
        let server: Server = (url.is_https(), url.authority().into(), place, protocol);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&server) {
            return Ok(client.clone());
        }
        let client = self.build(place, protocol).map_err(Failure::from)?;
        clients.insert(server, client.clone(), 1);
        Ok(client)
    }

    /// What a connection's TLS goes by.
    pub fn tls(&self) -> &ClientConfig {
        &self.tls
    }

    fn build(&self, place: SocketAddr, protocol: Protocol) -> Result<Client, reqwest::Error> {
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
            .http2_max_header_list_size(u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX))
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

/// What all connections' TLS goes by: the system's authorities and those of `fetch.extra_ca`. With one of the latter,
/// a system that has none will do.
fn tls(config: &FetchConfig) -> Result<ClientConfig, FetchError> {
    let unusable = |error: rustls::Error| FetchError::Client(error.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(authorities(config)?, Arc::clone(&provider)).map_err(unusable)?;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn authorities(config: &FetchConfig) -> Result<Vec<CertificateDer<'static>>, FetchError> {
    let file = &config.extra_ca;
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(file)
        .map_err(|error| FetchError::AuthoritiesUnreadable { file: file.clone(), error })?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetchError::NoAuthorities(file.clone())),
    }
}
