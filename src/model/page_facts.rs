//! The facts about a page, links excepted.

use std::net::IpAddr;

use super::{Cut, TlsFlaw};
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

/// The facts about a page, from a response and from GeoIP. The store may keep former facts: see
/// `store::write::stored_page`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageFacts {
    /// HTTP status code; 0 when there was no response.
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
    /// The flaw of the server's certificate; `None` for a verified one or none.
    pub tls: Option<TlsFlaw>,
    /// XXH3 (64 bit) of the decoded body.
    pub digest: u64,
    /// Validators for a conditional request; empty when the server sent none.
    pub etag: String,
    pub last_modified: String,
}
