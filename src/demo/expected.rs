//! The expected content of an index of the demo's web, derived from the description only.
//!
//! Nothing here uses the index, the parser or the crawler, or shares code with them: it is the independent result
//! that theirs is compared with. It follows the links from the seeds as a crawler may, separates the pages that a
//! robots.txt forbids, and ranks the reachable pages.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_page::{ExpectedLink, ExpectedPage, ExpectedTarget, locate};
use super::ranks;
use super::web::Web;

/// The expected content.
#[derive(Debug)]
pub(super) struct Expected<'w> {
    /// Every fetched URL.
    pub pages: BTreeMap<String, ExpectedPage<'w>>,
    /// Every discovered URL that a robots.txt forbids.
    pub refused: BTreeSet<String>,
    /// IV Search Ranks, by URL and by registrable domain.
    pub page_ranks: BTreeMap<String, f64>,
    pub domain_ranks: BTreeMap<String, f64>,
}

/// An external link and its source page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backlink<'e> {
    pub source: &'e str,
    pub page: &'e ExpectedPage<'e>,
    pub link: &'e ExpectedLink<'e>,
}

impl<'w> Expected<'w> {
    pub(super) fn of(web: &'w Web) -> Self {
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
    pub(super) fn backlinks(
        &self,
        wanted: impl Fn(&ExpectedTarget<'_>) -> bool,
    ) -> impl Iterator<Item = Backlink<'_>> {
        self.pages
            .iter()
            .flat_map(|(source, page)| page.links.iter().map(move |link| Backlink { source, page, link }))
            .filter(move |backlink| backlink.link.external && wanted(&backlink.link.target))
    }
}
