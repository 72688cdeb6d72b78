//! The result of one visit to a URL: the record that the crawl passes to the store.

use super::{Link, PageFacts};
use crate::urls::CanonicalUrl;

/// One visit to one URL, with any result. The store accepts nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitRecord {
    pub url: CanonicalUrl,
    /// Unix time of the end of the visit, in seconds.
    pub visited: u64,
    pub visit: Visit,
}

/// The result of a visit.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    /// The server responded.
    Responded(Box<PageContent>),
    /// The server answered 304 to a conditional request: the stored page is still valid.
    NotModified,
    /// No usable response, and the cause in words. No link is lost.
    Failed(FailureKind, String),
}

/// Why a visit has no usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FailureKind {
    Dns = 1,
    /// Connecting to the address is not allowed.
    AddressRefused = 2,
    Connect = 3,
    Tls = 4,
    Timeout = 5,
    /// The connection broke, or the response was not HTTP.
    Protocol = 6,
    /// The body could not be decompressed.
    Decode = 7,
    /// The server sent a challenge for human visitors instead of the page.
    Challenge = 8,
}

stored_code!(pub FailureKind);

impl FailureKind {
    pub const ALL: [Self; 8] = [
        Self::Dns,
        Self::AddressRefused,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Decode,
        Self::Challenge,
    ];

    /// The name in logs, metrics and summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::AddressRefused => "address-refused",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Decode => "decode",
            Self::Challenge => "challenge",
        }
    }
}

/// A parsed HTTP response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageContent {
    pub facts: PageFacts,
    /// Whether the response is a challenge instead of the page.
    pub challenge: bool,
    /// The cause of a cut body, or the kind of challenge, for people; else empty.
    pub cause: String,
    /// In document order.
    pub links: Vec<Link>,
}

impl PageContent {
    /// Whether this response determines the links of the page: the page itself, a redirect, or 404 and 410. Other
    /// responses say nothing about them: a challenge, a response without the page (202, 204, 206, 300), a refusal
    /// (401, 403, 429, 451) or a server error (5xx).
    pub fn determines_links(&self) -> bool {
        !self.challenge && Self::status_determines_links(self.facts.status)
    }

    /// As [`Self::determines_links`], for a response that is no challenge.
    pub fn status_determines_links(status: u16) -> bool {
        matches!(status, 200 | 201 | 203 | 301..=303 | 307 | 308 | 404 | 410)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_stored_codes() {
        let table = [
            (FailureKind::Dns, 1),
            (FailureKind::AddressRefused, 2),
            (FailureKind::Connect, 3),
            (FailureKind::Tls, 4),
            (FailureKind::Timeout, 5),
            (FailureKind::Protocol, 6),
            (FailureKind::Decode, 7),
            (FailureKind::Challenge, 8),
        ];
        assert_eq!(table.map(|(value, _)| value), FailureKind::ALL);
        for (value, code) in table {
            assert_eq!((value.code(), FailureKind::from_code(code)), (code, Some(value)));
        }
        assert_eq!((FailureKind::from_code(0), FailureKind::from_code(9)), (None, None));
    }
}
