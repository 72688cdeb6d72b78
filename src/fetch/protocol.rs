//! Which protocol a server is asked by, and what is learned of that from how it fails.
//!
//! | a server | is asked from then on |
//! |---|---|
//! | as it comes | over HTTP/2 where it offers that, else HTTP/1.1 |
//! | resets a stream with HTTP_1_1_REQUIRED (RFC 9113, 7) | over HTTP/1.1 |
//! | fails over HTTP/2 twice in a row | over HTTP/1.1 |
//! | sends a head or first chunk that the HTTP client refuses | over HTTP/1.1, read tolerantly ([`super::tolerant`]) |
//!
//! A request that failed in one of these ways is made again at once, so one fetch makes four requests at most. What is
//! learned holds for a scheme, host and port until the process ends, or is forgotten for servers used more recently.

use std::sync::{Mutex, PoisonError};

use crate::lru::Lru;
use crate::urls::CanonicalUrl;

/// Failures over HTTP/2 in a row after which a server is asked over HTTP/1.1.
const HTTP2_FAILURES: u32 = 2;

/// How a server is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Protocol {
    /// HTTP/2 or HTTP/1.1, as TLS negotiates (ALPN).
    #[default]
    Negotiated,
    Http1,
    /// HTTP/1.1, read by [`super::tolerant`].
    TolerantHttp1,
}

/// What in an exchange another protocol may mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolFault {
    /// The server asks for HTTP/1.1.
    Http11Required,
    /// HTTP/2 broke.
    Http2,
    /// The head of the response is malformed, or has too many fields.
    Head,
    /// The first chunk of the body is malformed.
    Chunks,
}

/// What is known of servers that need another protocol than the negotiated one.
#[derive(Debug)]
pub(super) struct Protocols {
    known: Mutex<Lru<Box<str>, Known>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    protocol: Protocol,
    http2_failures: u32,
}

impl Protocols {
    /// `most`: servers remembered.
    pub fn new(most: usize) -> Self {
        Self { known: Mutex::new(Lru::new(most)) }
    }

    /// How a URL's server is asked.
    pub fn of(&self, url: &CanonicalUrl) -> Protocol {
        self.update(url, |known| known.map(|known| known.protocol)).unwrap_or_default()
    }

    /// Takes in how an exchange by `protocol` ended; tells whether to make it again.
    pub fn learn(&self, url: &CanonicalUrl, protocol: Protocol, fault: Option<ProtocolFault>) -> bool {
        let mut known = self.update(url, |known| known.copied());
        match (fault, protocol) {
            (None, Protocol::Negotiated) => {
                if known.is_some_and(|known| known.http2_failures > 0) {
                    self.remember(url, Known::default());
                }
                return false;
            }
            (Some(ProtocolFault::Http11Required), Protocol::Negotiated) => {
                known = Some(Known { protocol: Protocol::Http1, http2_failures: 0 });
            }
            (Some(ProtocolFault::Http2), Protocol::Negotiated) => {
                let known = known.get_or_insert_default();
                known.http2_failures += 1;
                if known.http2_failures >= HTTP2_FAILURES {
                    known.protocol = Protocol::Http1;
                }
            }
            (Some(ProtocolFault::Head | ProtocolFault::Chunks), Protocol::Negotiated | Protocol::Http1) => {
                known = Some(Known { protocol: Protocol::TolerantHttp1, http2_failures: 0 });
            }
            _ => return false,
        }
        if let Some(known) = known {
            tracing::debug!(%url, ?known, ?fault, "a server is asked by another protocol");
            self.remember(url, known);
        }
        true
    }

    /// Takes back what is known of a server: it does not speak the other protocol.
    pub fn forget(&self, url: &CanonicalUrl) {
        self.remember(url, Known::default());
    }

    fn update<T>(&self, url: &CanonicalUrl, read: impl FnOnce(Option<&Known>) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            // So it is for nearly all servers: no key is made.
            return read(None);
        }
        read(known.get(&Box::from(url.origin())).as_deref())
    }

    fn remember(&self, url: &CanonicalUrl, value: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Box::from(url.origin()), value, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::UrlRules;

    #[test]
    fn a_server_is_asked_by_what_it_can_speak() {
        let url = UrlRules::default().canonical("https://a.test/x").unwrap();
        let other = UrlRules::default().canonical("https://a.test:8443/x").unwrap();
        let protocols = Protocols::new(10);
        let learn = |fault| protocols.learn(&url, protocols.of(&url), fault);
        assert!(!learn(None));
        // Broken once, and then not: nothing is held against it.
        assert!(learn(Some(ProtocolFault::Http2)));
        assert!(!learn(None));
        assert!(learn(Some(ProtocolFault::Http2)));
        assert_eq!(protocols.of(&url), Protocol::Negotiated);
        assert!(learn(Some(ProtocolFault::Http2)));
        assert_eq!(protocols.of(&url), Protocol::Http1);
        assert!(!learn(Some(ProtocolFault::Http2)));
        assert!(!learn(None));
        assert!(learn(Some(ProtocolFault::Head)));
        assert_eq!(protocols.of(&url), Protocol::TolerantHttp1);
        assert!(!learn(Some(ProtocolFault::Head)));
        assert_eq!(protocols.of(&other), Protocol::Negotiated);
        assert!(protocols.learn(&other, Protocol::Negotiated, Some(ProtocolFault::Http11Required)));
        assert_eq!(protocols.of(&other), Protocol::Http1);
    }
}
