//! What the demo's web is described with: hosts, pages and links.
//!
//! The description is the one source of two things that must agree: what the servers answer ([`super::html`],
//! [`super::server`]) and what an index of this web must hold ([`super::expected`]). A link therefore names its
//! target; how the page writes it, as a path, with a host in Unicode or relative to a base, is the renderer's
//! matter.
//!
//! Targets are written short: `/path` on the page's own host, `//host/path` anywhere, hosts in punycode.

use std::net::Ipv4Addr;

use crate::model::LinkTag;

/// The whole web.
#[derive(Clone, Debug)]
pub struct Web {
    /// URLs the crawl begins with.
    pub seeds: Vec<&'static str>,
    pub hosts: Vec<Host>,
}

/// Where a host's server stands: a network of loopback addresses that `places.mmdb` places there.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The network is 127.x.0.0/16.
    network: u8,
    pub ccode: &'static str,
    pub country: &'static str,
    pub city: &'static str,
}

pub const LONDON: Place = place(1, "GB", "United Kingdom", "London");
pub const LINKOEPING: Place = place(2, "SE", "Sweden", "Linköping");
pub const MILTON: Place = place(3, "US", "United States", "Milton");
pub const SAN_DIEGO: Place = place(4, "US", "United States", "San Diego");
pub const SINGAPORE: Place = place(9, "SG", "Singapore", "Singapore");
pub const MELBOURNE: Place = place(10, "AU", "Australia", "Melbourne");

const fn place(network: u8, ccode: &'static str, country: &'static str, city: &'static str) -> Place {
    Place { network, ccode, country, city }
}

impl Place {
    /// An address there.
    pub const fn at(self, number: u8) -> (Self, Ipv4Addr) {
        (self, Ipv4Addr::new(127, self.network, 0, number))
    }
}

/// One host and everything on it.
#[derive(Clone, Debug)]
pub struct Host {
    /// As canonical URLs have it.
    pub name: &'static str,
    /// As people write it: in Unicode.
    pub shown: &'static str,
    /// Its registrable domain.
    pub domain: &'static str,
    pub about: &'static str,
    pub place: Place,
    pub address: Ipv4Addr,
    /// What its robots.txt forbids: every path that begins so.
    pub forbidden: Option<&'static str>,
    /// Links at the top and at the bottom of every page.
    pub top: Vec<Link>,
    pub bottom: Vec<Link>,
    pub pages: Vec<Page>,
}

/// One page, or one redirect.
#[derive(Clone, Debug)]
pub struct Page {
    /// With the query, if any.
    pub path: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    pub links: Vec<Link>,
    /// Whether, and where, the page as a whole says nofollow.
    pub nofollow: Option<Where>,
    /// The URL that it says it is a copy of.
    pub canonical: Option<&'static str>,
    /// The path that its relative links start from.
    pub base: Option<&'static str>,
}

/// Where a page's robots directives stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// `<meta name="robots">`
    Meta,
    /// `X-Robots-Tag`
    Header,
}

/// One link.
#[derive(Clone, Debug)]
pub struct Link {
    pub to: &'static str,
    pub tag: LinkTag,
    /// The text of an `a`, the `alt` of an image or area, the `title` of a frame.
    pub text: &'static str,
    /// The `rel` attribute.
    pub rel: &'static str,
}

/// A host at a place.
pub fn host(
    name: &'static str,
    domain: &'static str,
    (place, address): (Place, Ipv4Addr),
    about: &'static str,
) -> Host {
    Host {
        name,
        shown: name,
        domain,
        about,
        place,
        address,
        forbidden: None,
        top: Vec::new(),
        bottom: Vec::new(),
        pages: Vec::new(),
    }
}

/// A page of HTML; of frames when it has a `frame`.
pub fn page(
    path: &'static str,
    title: &'static str,
    text: &'static str,
    links: impl Into<Vec<Link>>,
) -> Page {
    Page { path, title, text, links: links.into(), nofollow: None, canonical: None, base: None }
}

/// A page that answers with a redirect.
pub fn redirect(path: &'static str, tag: LinkTag, to: &'static str) -> Page {
    page(path, "", "", [element(tag, to, "")])
}

/// A text link.
pub fn a(to: &'static str, text: &'static str) -> Link {
    element(LinkTag::A, to, text)
}

/// Any other kind of link.
pub fn element(tag: LinkTag, to: &'static str, text: &'static str) -> Link {
    Link { to, tag, text, rel: "" }
}

impl Web {
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name)
    }
}

impl Host {
    /// How people write the name.
    #[must_use]
    pub fn shown_as(mut self, shown: &'static str) -> Self {
        self.shown = shown;
        self
    }

    /// Lets the robots.txt forbid what begins so.
    #[must_use]
    pub fn forbid(mut self, start: &'static str) -> Self {
        self.forbidden = Some(start);
        self
    }

    #[must_use]
    pub fn top(mut self, links: impl Into<Vec<Link>>) -> Self {
        self.top = links.into();
        self
    }

    #[must_use]
    pub fn bottom(mut self, links: impl Into<Vec<Link>>) -> Self {
        self.bottom = links.into();
        self
    }

    #[must_use]
    pub fn pages(mut self, pages: impl Into<Vec<Page>>) -> Self {
        self.pages = pages.into();
        self
    }

    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.path == path)
    }

    /// A target in full.
    pub fn absolute(&self, to: &str) -> String {
        if to.starts_with("//") { format!("http:{to}") } else { format!("http://{}{to}", self.name) }
    }
}

impl Page {
    #[must_use]
    pub fn nofollow(mut self, said: Where) -> Self {
        self.nofollow = Some(said);
        self
    }

    #[must_use]
    pub fn copy_of(mut self, canonical: &'static str) -> Self {
        self.canonical = Some(canonical);
        self
    }

    #[must_use]
    pub fn based_on(mut self, base: &'static str) -> Self {
        self.base = Some(base);
        self
    }

    /// The redirect that the page is, if it is one.
    pub fn redirect(&self) -> Option<&Link> {
        self.links.first().filter(|link| link.tag.is_redirect())
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> u16 {
        match self.redirect().map(|link| link.tag) {
            Some(LinkTag::Redirect301) => 301,
            Some(LinkTag::Redirect302) => 302,
            Some(LinkTag::Redirect303) => 303,
            Some(LinkTag::Redirect307) => 307,
            Some(LinkTag::Redirect308) => 308,
            _ => 200,
        }
    }

    pub fn is_frameset(&self) -> bool {
        self.links.iter().any(|link| link.tag == LinkTag::Frame)
    }
}

impl Link {
    #[must_use]
    pub fn rel(mut self, rel: &'static str) -> Self {
        self.rel = rel;
        self
    }

    /// Whether `rel` holds this word.
    pub fn says(&self, word: &str) -> bool {
        self.rel.split(' ').any(|said| said == word)
    }
}
