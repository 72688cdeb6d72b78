//! One page of the demo's web, as an index should show it: its links, sorted and numbered.

use super::html::NOT_FOUND;
use super::web::{DemoLink, DemoPage, Host, Web};
use crate::model::LinkTag;

/// A page, a redirect or a missing page, as served.
#[derive(Debug)]
pub(super) struct ExpectedPage<'w> {
    pub host: &'w Host,
    pub status: u16,
    pub title: &'w str,
    pub text: &'w str,
    pub canonical: Option<String>,
    /// Whether the page has a nofollow directive.
    pub nofollow: bool,
    pub links: Vec<ExpectedLink<'w>>,
}

/// A link to another page.
#[derive(Debug)]
pub(super) struct ExpectedLink<'w> {
    pub given: &'w DemoLink,
    pub target: ExpectedTarget<'w>,
    /// Counted from 1.
    pub pos: usize,
    pub external: bool,
    pub nofollow: bool,
}

/// The target of a link.
#[derive(Debug)]
pub(super) struct ExpectedTarget<'w> {
    pub url: String,
    pub host: &'w Host,
}

impl<'w> ExpectedPage<'w> {
    pub(super) fn of(web: &'w Web, host: &'w Host, page: &'w DemoPage) -> Self {
        let own = host.absolute(page.path);
        let nofollow = page.nofollow.is_some();
        let mut links: Vec<ExpectedLink<'w>> = Vec::new();
        for given in in_document_order(host, page) {
            let url = host.absolute(given.to);
            let Some((target_host, _)) = locate(web, &url).filter(|_| url != own) else { continue };
            links.push(ExpectedLink {
                given,
                target: ExpectedTarget { url, host: target_host },
                pos: links.len() + 1,
                external: without_www(host.name) != without_www(target_host.name),
                nofollow: nofollow || ["nofollow", "ugc", "sponsored"].iter().any(|word| given.has_rel(word)),
            });
        }
        let canonical = page.canonical.map(|canonical| host.absolute(canonical));
        Self { host, status: page.status(), title: page.title, text: page.text, canonical, nofollow, links }
    }

    pub(super) fn missing(host: &'w Host) -> Self {
        let links = Vec::new();
        Self { host, status: 404, title: NOT_FOUND, text: "", canonical: None, nofollow: false, links }
    }

    pub(super) fn external_links(&self) -> usize {
        self.links.iter().filter(|link| link.external).count()
    }

    /// Number of backlinks from this page to a registrable domain.
    pub(super) fn backlinks_to(&self, domain: &str) -> usize {
        self.links.iter().filter(|link| link.external && link.target.host.domain == domain).count()
    }
}

/// The links of a page in document order. A refresh is in the head; redirects and framesets have only their own
/// links.
fn in_document_order<'w>(host: &'w Host, page: &'w DemoPage) -> Vec<&'w DemoLink> {
    if page.redirect().is_some() || page.is_frameset() {
        return page.links.iter().collect();
    }
    let (head, body): (Vec<_>, Vec<_>) = page.links.iter().partition(|link| link.tag == LinkTag::Refresh);
    [head, host.top.iter().collect(), body, host.bottom.iter().collect()].concat()
}

/// The host and the path of a URL.
pub(super) fn locate<'w, 'u>(web: &'w Web, url: &'u str) -> Option<(&'w Host, &'u str)> {
    let rest = url.strip_prefix("http://")?;
    let (name, path) = rest.split_at(rest.find('/')?);
    Some((web.host(name)?, path))
}

fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}
