//! The description of the demo's web: hosts, pages and links.
//!
//! Two things are derived from it and must agree: the responses of the servers ([`super::html`], [`super::server`])
//! and the expected content of the index ([`super::expected`]). A link therefore names its target only. The renderer
//! chooses its spelling: as a path, with a host in Unicode, or relative to a base.
//!
//! Targets are short: `/path` on the host of the page, `//host/path` on any host, with hosts in punycode.

use std::net::Ipv4Addr;

use crate::model::LinkTag;

/// The whole web.
#[derive(Clone, Debug)]
pub(super) struct Web {
    /// URLs that the crawl starts with.
    pub seeds: Vec<&'static str>,
    pub hosts: Vec<Host>,
}

/// The location of a server: a network of loopback addresses that `places.mmdb` places there.
#[derive(Clone, Copy, Debug)]
pub(super) struct DemoPlace {
    /// The network is 127.x.0.0/16.
    network: u8,
    pub ccode: &'static str,
    pub country: &'static str,
    pub city: &'static str,
}

pub(super) const LONDON: DemoPlace = place(1, "GB", "United Kingdom", "London");
pub(super) const LINKOEPING: DemoPlace = place(2, "SE", "Sweden", "Linköping");
pub(super) const MILTON: DemoPlace = place(3, "US", "United States", "Milton");
pub(super) const SAN_DIEGO: DemoPlace = place(4, "US", "United States", "San Diego");
pub(super) const SINGAPORE: DemoPlace = place(9, "SG", "Singapore", "Singapore");
pub(super) const MELBOURNE: DemoPlace = place(10, "AU", "Australia", "Melbourne");

const fn place(network: u8, ccode: &'static str, country: &'static str, city: &'static str) -> DemoPlace {
    DemoPlace { network, ccode, country, city }
}

impl DemoPlace {
    /// An address in this network.
    pub(super) const fn at(self, number: u8) -> (Self, Ipv4Addr) {
        (self, Ipv4Addr::new(127, self.network, 0, number))
    }
}

/// One host with its pages.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// As in canonical URLs.
    pub name: &'static str,
    /// For display, in Unicode.
    pub shown: &'static str,
    /// Its registrable domain.
    pub domain: &'static str,
    pub about: &'static str,
    pub place: DemoPlace,
    pub address: Ipv4Addr,
    /// The path prefix that its robots.txt forbids.
    pub forbidden: Option<&'static str>,
    /// Links at the top and at the bottom of every page.
    pub top: Vec<DemoLink>,
    pub bottom: Vec<DemoLink>,
    pub pages: Vec<DemoPage>,
}

/// One page, or one redirect.
#[derive(Clone, Debug)]
pub(super) struct DemoPage {
    /// With the query, if any.
    pub path: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    pub links: Vec<DemoLink>,
    /// Whether the page has a nofollow directive, and where.
    pub nofollow: Option<NofollowIn>,
    /// The canonical URL that it declares.
    pub canonical: Option<&'static str>,
    /// The base of its relative links.
    pub base: Option<&'static str>,
}

/// The location of a robots directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NofollowIn {
    /// `<meta name="robots">`
    Meta,
    /// `X-Robots-Tag`
    Header,
}

/// One link.
#[derive(Clone, Debug)]
pub(super) struct DemoLink {
    pub to: &'static str,
    pub tag: LinkTag,
    /// The text of an `a`, the `alt` of an image or area, the `title` of a frame.
    pub text: &'static str,
    /// The `rel` attribute.
    pub rel: &'static str,
}

/// A host at a location.
pub(super) fn host(
    name: &'static str,
    domain: &'static str,
    (place, address): (DemoPlace, Ipv4Addr),
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

/// An HTML page; a frameset if it has a `frame`.
pub(super) fn page(
    path: &'static str,
    title: &'static str,
    text: &'static str,
    links: impl Into<Vec<DemoLink>>,
) -> DemoPage {
    DemoPage { path, title, text, links: links.into(), nofollow: None, canonical: None, base: None }
}

/// A page that answers with a redirect.
pub(super) fn redirect(path: &'static str, tag: LinkTag, to: &'static str) -> DemoPage {
    page(path, "", "", [element(tag, to, "")])
}

/// A text link.
pub(super) fn a(to: &'static str, text: &'static str) -> DemoLink {
    element(LinkTag::A, to, text)
}

/// Any other kind of link.
pub(super) fn element(tag: LinkTag, to: &'static str, text: &'static str) -> DemoLink {
    DemoLink { to, tag, text, rel: "" }
}

impl Web {
    pub(super) fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name)
    }
}

impl Host {
    /// Sets the name for display.
    #[must_use]
    pub(super) fn shown_as(mut self, shown: &'static str) -> Self {
        self.shown = shown;
        self
    }

    /// Sets the path prefix that the robots.txt forbids.
    #[must_use]
    pub(super) fn forbid(mut self, start: &'static str) -> Self {
        self.forbidden = Some(start);
        self
    }

    #[must_use]
    pub(super) fn top(mut self, links: impl Into<Vec<DemoLink>>) -> Self {
        self.top = links.into();
        self
    }

    #[must_use]
    pub(super) fn bottom(mut self, links: impl Into<Vec<DemoLink>>) -> Self {
        self.bottom = links.into();
        self
    }

    #[must_use]
    pub(super) fn pages(mut self, pages: impl Into<Vec<DemoPage>>) -> Self {
        self.pages = pages.into();
        self
    }

    pub(super) fn page(&self, path: &str) -> Option<&DemoPage> {
        self.pages.iter().find(|page| page.path == path)
    }

    /// The absolute URL of a target.
    pub(super) fn absolute(&self, to: &str) -> String {
        if to.starts_with("//") { format!("http:{to}") } else { format!("http://{}{to}", self.name) }
    }
}

impl DemoPage {
    #[must_use]
    pub(super) fn nofollow(mut self, location: NofollowIn) -> Self {
        self.nofollow = Some(location);
        self
    }

    #[must_use]
    pub(super) fn copy_of(mut self, canonical: &'static str) -> Self {
        self.canonical = Some(canonical);
        self
    }

    #[must_use]
    pub(super) fn based_on(mut self, base: &'static str) -> Self {
        self.base = Some(base);
        self
    }

    /// The redirect of the page, if it is one.
    pub(super) fn redirect(&self) -> Option<&DemoLink> {
        self.links.first().filter(|link| link.tag.is_redirect())
    }

    /// The HTTP status of the page.
    pub(super) fn status(&self) -> u16 {
        match self.redirect().map(|link| link.tag) {
            Some(LinkTag::Redirect301) => 301,
            Some(LinkTag::Redirect302) => 302,
            Some(LinkTag::Redirect303) => 303,
            Some(LinkTag::Redirect307) => 307,
            Some(LinkTag::Redirect308) => 308,
            _ => 200,
        }
    }

    pub(super) fn is_frameset(&self) -> bool {
        self.links.iter().any(|link| link.tag == LinkTag::Frame)
    }
}

impl DemoLink {
    #[must_use]
    pub(super) fn rel(mut self, rel: &'static str) -> Self {
        self.rel = rel;
        self
    }

    /// Whether `rel` has this word.
    pub(super) fn has_rel(&self, word: &str) -> bool {
        self.rel.split(' ').any(|token| token == word)
    }
}
