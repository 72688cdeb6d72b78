//! What one visit to a URL found: the record the crawl hands to the store.

use std::net::IpAddr;

use super::{Cut, Link, TlsFlaw};
use crate::urls::CanonicalUrl;

/// Where a server stands, by GeoIP. Unknown parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// ISO 3166-1 alpha-2 code, upper case.
    pub ccode: String,
    pub country: String,
    pub city: String,
}

/// What meta robots and `X-Robots-Tag` ask of us, after folding all that name us or everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    pub noindex: bool,
    pub nofollow: bool,
}

impl Directives {
    /// The directives as a robots meta element writes them; empty when there are none.
    pub fn as_str(self) -> &'static str {
        match (self.noindex, self.nofollow) {
            (false, false) => "",
            (true, false) => "noindex",
            (false, true) => "nofollow",
            (true, true) => "noindex, nofollow",
        }
    }
}

/// One visit to one URL, whatever came of it. The store takes nothing else in.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRecord {
    pub url: CanonicalUrl,
    /// Unix time, in seconds, at which the visit ended.
    pub visited: u64,
    pub visit: Visit,
}

/// What came of a visit.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    /// The server answered.
    Answered(Box<PageContent>),
    /// The server answered 304 to a conditional request: the stored page still holds.
    NotModified,
    /// No answer to go by, and why in words. Nothing becomes inactive by it.
    Failed(FailureKind, String),
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FailureKind {
    Dns = 1,
    /// The address is one we must not connect to.
    AddressRefused = 2,
    Connect = 3,
    Tls = 4,
    Timeout = 5,
    /// The connection broke, or what came over it was not HTTP.
    Protocol = 6,
    /// The body could not be decompressed.
    Decode = 7,
    /// The server asked for a proof that the visitor is a person, and did not send the page.
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

    /// The kind of a stored number; `None` for 0 and for unknown numbers.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// One word for logs, metrics and summaries.
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

/// An HTTP answer, read and parsed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageContent {
    /// HTTP status code.
    pub status: u16,
    /// Media type without parameters, lower case; empty when the server named none that is valid.
    pub content_type: String,
    /// The WHATWG name of the encoding the page was read with, lower case; empty when nothing was decoded.
    pub charset: String,
    pub title: String,
    pub description: String,
    /// The address the answer came from.
    pub ip: Option<IpAddr>,
    pub place: Place,
    pub directives: Directives,
    /// The target of `link rel=canonical` (or its HTTP header), when it is another URL than the page's own.
    pub canonical: Option<CanonicalUrl>,
    /// Whether the body was HTML (or XHTML) and was parsed as such.
    pub html: bool,
    /// Why the end of the body is missing; `None` when it is whole.
    pub cut: Option<Cut>,
    /// Whether the answer is a challenge to the visitor in the place of the page.
    pub challenge: bool,
    /// What is wrong with the certificate of the server; `None` when it is verified or there is none.
    pub tls: Option<TlsFlaw>,
    /// For people: what exactly is wrong with a body that is cut, or which challenge it is; else empty.
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
    /// Whether this answer settles which links the page has: the page itself, a redirect, or word that it is gone.
    /// Anything else says nothing about them: a challenge, an answer without the page (202, 204, 206, 300), a refusal
    /// (401, 403, 429, 451) or an error of the server (5xx).
    pub fn settles_links(&self) -> bool {
        !self.challenge && matches!(self.status, 200 | 201 | 203 | 301..=303 | 307 | 308 | 404 | 410)
    }
}
