//! Downloads the file in which an issuer publishes its certificate.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};

use super::certificate::{Certificate, read_bundle};
use crate::fetch::Response;
use crate::fetch::connections::ConnectionPools;
use crate::fetch::dns::PinnedAddresses;
use crate::fetch::failure::Failure;
use crate::fetch::protocol::Protocol;
use crate::model::{FailureKind, LinkTag};
use crate::urls::{CanonicalUrl, UrlRules};

const ACCEPT: &str = "application/pkix-cert, application/pkcs7-mime, */*;q=0.5";

/// Downloads over plain HTTP, with the same addresses, ports and connections as other fetches. Limits:
/// `fetch.issuer_timeout`, `fetch.max_issuer_bytes`, and as many redirects as URLs per chain.
pub(in crate::fetch) struct IssuerDownload<'a> {
    pub connections: &'a ConnectionPools,
    pub addresses: &'a PinnedAddresses,
    pub timeout: Duration,
    pub max_bytes: usize,
    pub max_redirects: usize,
}

impl IssuerDownload<'_> {
    /// The certificates at a URL.
    ///
    /// # Errors
    /// [`Failure`] when there are none.
    pub(super) async fn certificates(&self, url: &str) -> Result<Vec<Certificate>, Failure> {
        let response = tokio::time::timeout(self.timeout, self.follow(url)).await.unwrap_or_else(|_| {
            let milliseconds = self.timeout.as_millis();
            let detail = format!("no complete answer within {milliseconds} ms (fetch.issuer_timeout)");
            Err(Failure::new(FailureKind::Timeout, detail))
        })?;
        let decoded = response.decode(self.max_bytes);
        let decoded = decoded.map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
        let certificates = read_bundle(&decoded.bytes);
        if certificates.is_empty() {
            return Err(Failure::new(FailureKind::Protocol, "the answer holds no certificate"));
        }
        Ok(certificates)
    }

    /// The response at the end of the redirects.
    async fn follow(&self, url: &str) -> Result<Response, Failure> {
        let unusable = |url: &str| Failure::new(FailureKind::Protocol, format!("{url} cannot be fetched"));
        let rules = UrlRules::default();
        let mut at = rules.canonical(url).map_err(|_| unusable(url))?;
        for _ in 0..=self.max_redirects {
            if at.is_https() {
                return Err(Failure::new(FailureKind::Protocol, format!("{at} is not plain HTTP")));
            }
            let response = self.request(&at).await?;
            match (response.status, &response.location) {
                (200, _) => return Ok(response),
                (status, Some(location)) if LinkTag::from_redirect_status(status).is_some() => {
                    let base = rules.base(&at).ok_or_else(|| unusable(location))?;
                    at = rules.resolve(&base, location).map_err(|_| unusable(location))?;
                }
                (status, _) => {
                    return Err(Failure::new(FailureKind::Protocol, format!("the server answered {status}")));
                }
            }
        }
        Err(Failure::new(FailureKind::Protocol, "there are too many redirects (fetch.max_issuer_urls)"))
    }

    async fn request(&self, url: &CanonicalUrl) -> Result<Response, Failure> {
        let ip = self.addresses.resolve(url).await?;
        let socket_addr = self.addresses.socket_addr(url, ip)?;
        let (client, _) = self.connections.client(url, socket_addr, Protocol::Negotiated)?;
        let sent = client.get(url.as_str()).headers(request_headers()).send().await;
        let mut wire = sent.map_err(|error| {
            let failure = Failure::from_request_error(error, socket_addr.is_ipv6());
            if failure.kind == FailureKind::Connect {
                self.addresses.use_next_address(url.host(), ip);
            }
            failure
        })?;
        let headers = std::mem::take(wire.headers_mut());
        let mut response = Response::new(wire.status().as_u16(), wire.version(), headers, ip);
        if response.status == 200 {
            response.body = self.read_body(wire).await?.into();
        }
        Ok(response)
    }

    async fn read_body(&self, mut wire: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = wire.chunk().await.map_err(Failure::from)? {
            if body.len() + chunk.len() > self.max_bytes {
                let most = self.max_bytes;
                let detail = format!("the response is longer than {most} bytes (fetch.max_issuer_bytes)");
                return Err(Failure::new(FailureKind::Protocol, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn request_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static(ACCEPT)),
        (header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ])
}
