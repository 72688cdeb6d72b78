//! The result of one visit to a URL: the record that the crawl passes to the store.

use std::net::IpAddr;

use super::{Cut, Link, TlsFlaw};
use crate::urls::CanonicalUrl;

/// The location of a server, by GeoIP. Unknown parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// ISO 3166-1 alpha-2 code, upper case.
    pub ccode: String,
    pub country: String,
    pub city: String,
}

/// The directives of meta robots and `X-Robots-Tag` combined, as far as they apply to all crawlers or to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    pub noindex: bool,
    pub nofollow: bool,
}

impl Directives {
    /// The directives in the form of a robots meta element; empty when there are none.
    pub fn as_str(self) -> &'static str {
        match (self.noindex, self.nofollow) {
            (false, false) => "",
            (true, false) => "noindex",
            (false, true) => "nofollow",
            (true, true) => "noindex, nofollow",
        }
    }
}

/// One visit to one URL, with any result. The store accepts nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRecord {
    pub url: CanonicalUrl,
    /// Unix time of the end of the visit, in seconds.
    pub visited: u64,
    pub visit: Visit,
}

/// The result of a visit.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    /// The server responded.
    Answered(Box<PageContent>),
    /// The server answered 304 to a conditional request: the stored page is still valid.
    NotModified,
    /// No usable response, and the cause in words. No link becomes inactive.
    Failed(FailureKind, String),
}

/// The reason for a missing response.
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

    /// The kind with a stored number; `None` for 0 and for unknown numbers.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

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
    /// HTTP status code.
    pub status: u16,
    /// Media type without parameters, in lower case; empty without a valid one.
    pub content_type: String,
    /// The WHATWG name of the page's encoding, in lower case; empty when nothing was decoded.
    pub charset: String,
    pub title: String,
    pub description: String,
    /// The address of the server.
    pub ip: Option<IpAddr>,
    pub place: Place,
    pub directives: Directives,
    /// The target of `link rel=canonical` (or its HTTP header), if it differs from the URL of the page.
    pub canonical: Option<CanonicalUrl>,
    /// Whether the body was parsed as HTML (or XHTML).
    pub html: bool,
    /// Why the end of the body is missing; `None` when it is whole.
    pub cut: Option<Cut>,
    /// Whether the response is a challenge instead of the page.
    pub challenge: bool,
    /// The flaw of the server's certificate; `None` for a verified one or none.
    pub tls: Option<TlsFlaw>,
    /// The cause of a cut body, or the kind of challenge, for people; else empty.
    pub cause: String,
    /// XXH3 (64 bit) of the decoded body.
    pub digest: u64,
    /// Validators for a conditional request; empty when the server sent none.
    pub etag: String,
    pub last_modified: String,
    /// In document order.
    pub links: Vec<Link>,
}

impl PageContent {
    /// Whether this response determines the links of the page: the page itself, a redirect, or 404 and 410. Other
    /// responses say nothing about them: a challenge, a response without the page (202, 204, 206, 300), a refusal
    /// (401, 403, 429, 451) or a server error (5xx).
    pub fn settles_links(&self) -> bool {
        !self.challenge && matches!(self.status, 200 | 201 | 203 | 301..=303 | 307 | 308 | 404 | 410)
    }
}
