//! The HTTP protocol for each server, learned from its failures.
//!
//! | a server | gets from then on |
//! |---|---|
//! | without a known failure | HTTP/2 where it offers that, else HTTP/1.1 |
//! | resets a stream with HTTP_1_1_REQUIRED (RFC 9113, 7) | HTTP/1.1 |
//! | fails over HTTP/2 twice in a row | HTTP/1.1 |
//! | sends a head or first chunk that the HTTP client rejects | HTTP/1.1, read tolerantly ([`super::tolerant`]) |
//!
//! A request that fails in one of these ways is repeated at once, so one fetch makes at most four requests. An entry
//! holds for a scheme, host and port, until the process ends or more recently used servers displace it.

use std::sync::{Mutex, PoisonError};

use crate::lru::Lru;
use crate::urls::CanonicalUrl;

/// Consecutive HTTP/2 failures after which a server gets HTTP/1.1.
const HTTP2_FAILURES: u32 = 2;

/// A protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Protocol {
    /// HTTP/2 or HTTP/1.1, as negotiated by TLS (ALPN).
    #[default]
    Negotiated,
    Http1,
    /// HTTP/1.1, read by [`super::tolerant`].
    TolerantHttp1,
}

/// A fault that another protocol may avoid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolFault {
    /// The server requires HTTP/1.1.
    Http11Required,
    /// An error of HTTP/2.
    Http2,
    /// The head of the response is malformed, or has too many fields.
    Head,
    /// The first chunk of the body is malformed.
    Chunks,
}

/// The servers that need another protocol than the negotiated one.
#[derive(Debug)]
pub(super) struct Protocols {
    known: Mutex<Lru<Box<str>, ServerProtocol>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct ServerProtocol {
    protocol: Protocol,
    http2_failures: u32,
}

impl Protocols {
    /// `most`: maximum number of servers.
    pub(super) fn new(most: usize) -> Self {
        Self { known: Mutex::new(Lru::new(most)) }
    }

    /// The protocol for the server of a URL.
    pub(super) fn protocol_of(&self, url: &CanonicalUrl) -> Protocol {
        self.with_entry(url, |known| known.map(|known| known.protocol)).unwrap_or_default()
    }

    /// Records how an exchange over `protocol` ended. Returns whether to repeat it.
    pub(super) fn record_outcome(
        &self,
        url: &CanonicalUrl,
        protocol: Protocol,
        fault: Option<ProtocolFault>,
    ) -> bool {
        let mut known = self.with_entry(url, |known| known.copied());
        match (fault, protocol) {
            (None, Protocol::Negotiated) => {
                if known.is_some_and(|known| known.http2_failures > 0) {
                    self.set_entry(url, ServerProtocol::default());
                }
                return false;
            }
            (Some(ProtocolFault::Http11Required), Protocol::Negotiated) => {
                known = Some(ServerProtocol { protocol: Protocol::Http1, http2_failures: 0 });
            }
            (Some(ProtocolFault::Http2), Protocol::Negotiated) => {
                let known = known.get_or_insert_default();
                known.http2_failures += 1;
                if known.http2_failures >= HTTP2_FAILURES {
                    known.protocol = Protocol::Http1;
                }
            }
            (Some(ProtocolFault::Head | ProtocolFault::Chunks), Protocol::Negotiated | Protocol::Http1) => {
                known = Some(ServerProtocol { protocol: Protocol::TolerantHttp1, http2_failures: 0 });
            }
            _ => return false,
        }
        if let Some(known) = known {
            tracing::debug!(%url, ?known, ?fault, "a server gets another protocol");
            self.set_entry(url, known);
        }
        true
    }

    /// Forgets the entry of a server, which does not speak the other protocol.
    pub(super) fn forget(&self, url: &CanonicalUrl) {
        self.set_entry(url, ServerProtocol::default());
    }

    fn with_entry<T>(&self, url: &CanonicalUrl, read: impl FnOnce(Option<&ServerProtocol>) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        read(known.get(url.origin()).as_deref())
    }

    fn set_entry(&self, url: &CanonicalUrl, value: ServerProtocol) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Box::from(url.origin()), value, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::UrlRules;

    #[test]
    fn a_server_gets_the_protocol_that_works() {
        let url = UrlRules::default().canonical("https://a.test/x").unwrap();
        let other = UrlRules::default().canonical("https://a.test:8443/x").unwrap();
        let protocols = Protocols::new(10);
        let learn = |fault| protocols.record_outcome(&url, protocols.protocol_of(&url), fault);
        assert!(!learn(None));
        // One failure followed by a success is forgotten.
        assert!(learn(Some(ProtocolFault::Http2)));
        assert!(!learn(None));
        assert!(learn(Some(ProtocolFault::Http2)));
        assert_eq!(protocols.protocol_of(&url), Protocol::Negotiated);
        assert!(learn(Some(ProtocolFault::Http2)));
        assert_eq!(protocols.protocol_of(&url), Protocol::Http1);
        assert!(!learn(Some(ProtocolFault::Http2)));
        assert!(!learn(None));
        assert!(learn(Some(ProtocolFault::Head)));
        assert_eq!(protocols.protocol_of(&url), Protocol::TolerantHttp1);
        assert!(!learn(Some(ProtocolFault::Head)));
        assert_eq!(protocols.protocol_of(&other), Protocol::Negotiated);
        assert!(protocols.record_outcome(&other, Protocol::Negotiated, Some(ProtocolFault::Http11Required)));
        assert_eq!(protocols.protocol_of(&other), Protocol::Http1);
    }
}
