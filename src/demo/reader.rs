//! The third opinion: the links of every page as another reader of HTML, the `scraper` crate, finds them in what was
//! served. It knows neither the description of the web nor the index.

use scraper::{Html, Selector};
use url::Url;

use super::check::Check;
use super::expected::{Expected, locate};
use super::web::Web;
use super::{DemoError, html};
use crate::model::LinkTag;
use crate::store::Store;
use crate::urls::UrlRules;

/// Elements that link, and where they say what to.
const LINKING: [(&str, &str); 2] =
    [("a[href], area[href]", "href"), ("frame[src], iframe[src], layer[src], ilayer[src]", "src")];
const BASE: (&str, &str) = ("base[href]", "href");

/// Compares the links in documents with those in the index; redirects and refreshes are no elements of theirs.
///
/// # Errors
/// When the index cannot be read.
pub fn check(web: &Web, expected: &Expected<'_>, store: &Store) -> Result<Check, DemoError> {
    let (rules, snapshot) = (UrlRules::default(), store.snapshot());
    let (mut pages, mut links, mut wrong) = (0, 0, None);
    for url in expected.pages.keys() {
        let Some((host, path)) = locate(web, url) else { continue };
        let Some(page) = host.page(path).filter(|page| page.redirect().is_none()) else { continue };
        let canonical = rules.canonical(url)?;
        let is_element = |tag: LinkTag| tag != LinkTag::Refresh && !tag.is_redirect();
        let stored = snapshot.outlinks(&canonical)?;
        let stored = stored.into_iter().filter(|link| link.is_active() && is_element(link.tag));
        let mut stored: Vec<String> = stored.map(|link| link.target.to_string()).collect();
        let mut read = read(&html::document(web, host, page), url);
        stored.sort();
        read.sort();
        (pages, links) = (pages + 1, links + read.len());
        if stored != read {
            wrong.get_or_insert_with(|| format!("{url} links to {stored:?}, by scraper to {read:?}"));
        }
    }
    let found = wrong.map_or_else(|| Ok(format!("{links} on {pages} pages")), Err);
    Ok(Check { what: "crawl: links, as another reader of HTML finds them".to_owned(), found })
}

/// Where the links of a document lead, without those to itself.
fn read(document: &str, url: &str) -> Vec<String> {
    let tree = Html::parse_document(document);
    let of = |(selector, attribute): (&str, &'static str)| -> Vec<String> {
        let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
        tree.select(&selector).filter_map(|element| element.attr(attribute)).map(str::to_owned).collect()
    };
    let Ok(own) = Url::parse(url) else { return Vec::new() };
    let base = of(BASE).first().and_then(|base| own.join(base).ok()).unwrap_or_else(|| own.clone());
    let target = |reference: String| {
        let mut target = base.join(&reference).ok().filter(|target| target.scheme().starts_with("http"))?;
        target.set_fragment(None);
        (target != own).then(|| target.to_string())
    };
    LINKING.into_iter().flat_map(of).filter_map(target).collect()
}
