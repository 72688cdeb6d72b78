//! Fetching the file that an issuer publishes its certificate in.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use reqwest::Response;

use super::certificate::{Certificate, read_bundle};
use crate::fetch::Answer;
use crate::fetch::address::AddressBook;
use crate::fetch::connections::Connections;
use crate::fetch::failure::Failure;
use crate::fetch::protocol::Protocol;
use crate::model::{FailureKind, LinkTag};
use crate::urls::{CanonicalUrl, UrlRules};

const ACCEPT: &str = "application/pkix-cert, application/pkcs7-mime, */*;q=0.5";

/// Fetches over plain HTTP, by way of the addresses, ports and connections of every other fetch. Within
/// `fetch.issuer_timeout`, up to `fetch.max_issuer_bytes`, along as many redirects as URLs are asked for one chain.
pub(in crate::fetch) struct Download<'a> {
    pub connections: &'a Connections,
    pub addresses: &'a AddressBook,
    pub timeout: Duration,
    pub max_bytes: usize,
    pub max_redirects: usize,
}

impl Download<'_> {
    /// The certificates that a URL leads to.
    ///
    /// # Errors
    /// [`Failure`] when there are none.
    pub(super) async fn get(&self, url: &str) -> Result<Vec<Certificate>, Failure> {
        let answer = tokio::time::timeout(self.timeout, self.follow(url)).await.unwrap_or_else(|_| {
            let milliseconds = self.timeout.as_millis();
            let detail = format!("no complete answer within {milliseconds} ms (fetch.issuer_timeout)");
            Err(Failure::new(FailureKind::Timeout, detail))
        })?;
        let decoded = answer.decode(self.max_bytes);
        let decoded = decoded.map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
        let certificates = read_bundle(&decoded.bytes);
        if certificates.is_empty() {
            return Err(Failure::new(FailureKind::Protocol, "the answer holds no certificate"));
        }
        Ok(certificates)
    }

    /// The answer at the end of the redirects.
    async fn follow(&self, url: &str) -> Result<Answer, Failure> {
        let unusable = |url: &str| Failure::new(FailureKind::Protocol, format!("{url} cannot be fetched"));
        let rules = UrlRules::default();
        let mut at = rules.canonical(url).map_err(|_| unusable(url))?;
        for _ in 0..=self.max_redirects {
            if at.is_https() {
                return Err(Failure::new(FailureKind::Protocol, format!("{at} is not plain HTTP")));
            }
            let answer = self.ask(&at).await?;
            match (answer.status, &answer.location) {
                (200, _) => return Ok(answer),
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

    async fn ask(&self, url: &CanonicalUrl) -> Result<Answer, Failure> {
        let ip = self.addresses.resolve(url).await?;
        let place = self.addresses.place(url, ip)?;
        let (client, _) = self.connections.client(url, place, Protocol::Negotiated)?;
        let sent = client.get(url.as_str()).headers(request_headers()).send().await;
        let mut response = sent.map_err(|error| {
            let failure = Failure::of(error, place.is_ipv6());
            if failure.kind == FailureKind::Connect {
                self.addresses.move_on(url.host(), ip);
            }
            failure
        })?;
        let headers = std::mem::take(response.headers_mut());
        let mut answer = Answer::new(response.status().as_u16(), response.version(), headers, ip);
        if answer.status == 200 {
            answer.body = self.body(response).await?.into();
        }
        Ok(answer)
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failure::from)? {
            if body.len() + chunk.len() > self.max_bytes {
                let most = self.max_bytes;
                let detail = format!("the answer is longer than {most} bytes (fetch.max_issuer_bytes)");
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
