//! The expected content of an index of the demo's web, derived from the description only.
//!
//! Nothing here uses the index, the parser or the crawler, or shares code with them: it is the independent result
//! that theirs is compared with. It follows the links from the seeds as a crawler may, separates the pages that a
//! robots.txt forbids, and numbers and sorts the links of every reachable page.

use std::collections::{BTreeMap, BTreeSet};

use super::html::NOT_FOUND;
use super::ranks;
use super::web::{DemoLink, DemoPage, Host, Web};
use crate::model::LinkTag;

/// The expected content.
#[derive(Debug)]
pub struct Expected<'w> {
    /// Every fetched URL.
    pub pages: BTreeMap<String, ExpectedPage<'w>>,
    /// Every discovered URL that a robots.txt forbids.
    pub refused: BTreeSet<String>,
    /// IV Search Ranks, by URL and by registrable domain.
    pub page_ranks: BTreeMap<String, f64>,
    pub domain_ranks: BTreeMap<String, f64>,
}

/// A page, a redirect or a missing page, as served.
#[derive(Debug)]
pub struct ExpectedPage<'w> {
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
pub struct ExpectedLink<'w> {
    pub given: &'w DemoLink,
    pub target: ExpectedTarget<'w>,
    /// Counted from 1.
    pub pos: usize,
    pub external: bool,
    pub nofollow: bool,
}

/// The target of a link.
#[derive(Debug)]
pub struct ExpectedTarget<'w> {
    pub url: String,
    pub host: &'w Host,
}

/// An external link and its source page.
#[derive(Clone, Copy, Debug)]
pub struct Backlink<'e> {
    pub source: &'e str,
    pub page: &'e ExpectedPage<'e>,
    pub link: &'e ExpectedLink<'e>,
}

impl<'w> Expected<'w> {
    pub fn of(web: &'w Web) -> Self {
        let (mut pages, mut refused) = (BTreeMap::new(), BTreeSet::new());
        let mut waiting: Vec<String> = web.seeds.iter().map(|seed| format!("http:{seed}")).collect();
        while let Some(url) = waiting.pop() {
            let Some((host, path)) = locate(web, &url).filter(|_| !pages.contains_key(&url)) else {
                continue;
            };
            if host.forbidden.is_some_and(|start| path.starts_with(start)) {
                refused.insert(url);
                continue;
            }
            let page = match host.page(path) {
                Some(page) => ExpectedPage::of(web, host, page),
                None => ExpectedPage::missing(host),
            };
            if !page.nofollow {
                waiting.extend(page.links.iter().map(|link| link.target.url.clone()));
                waiting.extend(page.canonical.clone());
            }
            pages.insert(url, page);
        }
        let (page_ranks, domain_ranks) = (ranks::of_pages(web, &pages), ranks::of_domains(web, &pages));
        Self { pages, refused, page_ranks, domain_ranks }
    }

    /// The external links to the targets that `wanted` selects.
    pub fn backlinks(
        &self,
        wanted: impl Fn(&ExpectedTarget<'_>) -> bool,
    ) -> impl Iterator<Item = Backlink<'_>> {
        self.pages
            .iter()
            .flat_map(|(source, page)| page.links.iter().map(move |link| Backlink { source, page, link }))
            .filter(move |backlink| backlink.link.external && wanted(&backlink.link.target))
    }
}

impl<'w> ExpectedPage<'w> {
    fn of(web: &'w Web, host: &'w Host, page: &'w DemoPage) -> Self {
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

    fn missing(host: &'w Host) -> Self {
        let links = Vec::new();
        Self { host, status: 404, title: NOT_FOUND, text: "", canonical: None, nofollow: false, links }
    }

    pub fn external_links(&self) -> usize {
        self.links.iter().filter(|link| link.external).count()
    }

    /// Number of backlinks from this page to a registrable domain.
    pub fn backlinks_to(&self, domain: &str) -> usize {
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
