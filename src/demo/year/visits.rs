//! The visits to the made-up sites, as page records.

use std::net::Ipv4Addr;

use xxhash_rust::xxh3::xxh3_64;

use crate::demo::web::LINKOEPING;
use crate::model::{
    Directives, FailureKind, Link, LinkTag, PageContent, PageFacts, Place, Rel, Visit, VisitRecord,
};
use crate::urls::{CanonicalUrl, UrlError, UrlRules};

use super::site::{PageEnd, YearLink, YearPage, YearSite};
use super::{LAST_DAY, Moments};

/// Pages that a home page shows at most.
const SHOWN_PAGES: usize = 60;
/// Days between two visits to a home page.
const HOME_INTERVAL: u32 = 14;

/// The records of all visits to a site on one day.
pub(super) fn records(site: &YearSite, day: u32, moments: &Moments) -> Vec<VisitRecord> {
    let mut records = Vec::new();
    let is_known_closed = site.closed.is_some_and(|closed| day >= closed + HOME_INTERVAL);
    if day >= site.born && !is_known_closed && (day - site.born).is_multiple_of(HOME_INTERVAL) {
        records.push(record(site.home.clone(), moments.at(day), home(site, day)));
    }
    for page in site.pages.iter().filter(|page| is_visited(page, day)) {
        records.push(record(page.url.clone(), moments.at(day), visit(site, page, day)));
    }
    records
}

/// Whether the page is visited on this day. A page that has ended is visited once more, and a silent one again and
/// again.
fn is_visited(page: &YearPage, day: u32) -> bool {
    let is_due = day >= page.born && (day - page.born).is_multiple_of(page.interval);
    is_due
        && match page.end {
            Some((end, kind)) => day < end + page.interval || kind == PageEnd::Silent,
            None => true,
        }
}

fn record(url: CanonicalUrl, visited: u64, visit: Visit) -> VisitRecord {
    VisitRecord { url, visited, visit }
}

fn visit(site: &YearSite, page: &YearPage, day: u32) -> Visit {
    let end = page.end.filter(|(end, _)| *end <= day).map(|(_, kind)| kind);
    let facts = facts(site, &page.url);
    let status =
        |status| PageContent { facts: PageFacts { status, ..facts.clone() }, ..PageContent::default() };
    let content = match end {
        Some(PageEnd::Silent) => {
            return Visit::Failed(FailureKind::Timeout, "the server did not answer in time".to_owned());
        }
        Some(PageEnd::Gone) => status(410),
        Some(PageEnd::Redirected) => {
            let links = vec![link(site.home.clone(), LinkTag::Redirect301, Rel::NONE, "")];
            PageContent { links, ..status(301) }
        }
        Some(PageEnd::NotHtml) => {
            let mut content = status(200);
            content.facts.content_type = "application/pdf".to_owned();
            content
        }
        None => {
            let mut links = vec![link(site.home.clone(), LinkTag::A, Rel::NONE, &site.name)];
            links.extend(present(&page.links, day));
            html(facts, page.title.clone(), links, page.nofollow)
        }
    };
    Visit::Responded(Box::new(content))
}

fn home(site: &YearSite, day: u32) -> Visit {
    if site.closed.is_some_and(|closed| day >= closed) {
        let facts = PageFacts { status: 410, ..facts(site, &site.home) };
        return Visit::Responded(Box::new(PageContent { facts, ..PageContent::default() }));
    }
    let is_shown = |page: &&YearPage| page.born <= day && page.end.is_none_or(|(end, _)| end > day);
    let shown = site.pages.iter().filter(is_shown).take(SHOWN_PAGES);
    let mut links: Vec<Link> =
        shown.map(|page| link(page.url.clone(), LinkTag::A, Rel::NONE, &page.title)).collect();
    links.extend(present(&site.links, day));
    Visit::Responded(Box::new(html(facts(site, &site.home), site.name.clone(), links, false)))
}

/// The links that a page has on this day.
fn present(links: &[YearLink], day: u32) -> impl Iterator<Item = Link> {
    let present =
        links.iter().filter(move |link| !link.absent.as_ref().is_some_and(|absent| absent.contains(&day)));
    present.map(|given| link(given.target.clone(), given.tag, given.rel, &given.anchor))
}

fn link(target: CanonicalUrl, tag: LinkTag, rel: Rel, anchor: &str) -> Link {
    Link { target, tag, rel, anchor: anchor.to_owned() }
}

fn facts(site: &YearSite, url: &CanonicalUrl) -> PageFacts {
    PageFacts {
        ip: Some(site.address),
        place: site.place.clone(),
        digest: xxh3_64(url.as_str().as_bytes()),
        ..PageFacts::default()
    }
}

fn html(facts: PageFacts, title: String, mut links: Vec<Link>, nofollow: bool) -> PageContent {
    if nofollow {
        links.iter_mut().for_each(|link| link.rel = link.rel.with(Rel::PAGE_NOFOLLOW));
    }
    let facts = PageFacts {
        status: 200,
        content_type: "text/html".to_owned(),
        charset: "utf-8".to_owned(),
        title,
        html: true,
        directives: Directives { nofollow, ..Directives::default() },
        ..facts
    };
    PageContent { facts, links, ..PageContent::default() }
}

/// Further pages of the museum: two exhibitions, a redirect, and a page that is gone.
///
/// # Errors
/// None in practice: the URLs are valid.
pub(super) fn museum(rules: &UrlRules, moments: &Moments) -> Result<Vec<VisitRecord>, UrlError> {
    let (place, address) = LINKOEPING.at(10);
    let (ccode, country) = (place.ccode.to_owned(), place.country.to_owned());
    let place = Place { ccode, country, city: place.city.to_owned() };
    let url = |path: &str| rules.canonical(&format!("http://www.museum.example{path}"));
    let mut records = Vec::new();
    for (path, title) in [
        ("/exhibitions/storm", "Storm! The exhibition"),
        ("/exhibitions/whales", "What whales sing"),
        ("/tickets", ""),
        ("/old-map", ""),
    ] {
        let url = url(path)?;
        let facts = PageFacts { digest: xxh3_64(path.as_bytes()), ..museum_facts(address, &place) };
        let content = match path {
            "/tickets" => {
                let to = rules.canonical("http://www.museum.example/visit")?;
                let facts = PageFacts { status: 302, ..facts };
                let links = vec![link(to, LinkTag::Redirect302, Rel::NONE, "")];
                PageContent { facts, links, ..PageContent::default() }
            }
            "/old-map" => PageContent { facts: PageFacts { status: 404, ..facts }, ..PageContent::default() },
            _ => {
                let home = rules.canonical("http://www.museum.example/")?;
                html(
                    facts,
                    title.to_owned(),
                    vec![link(home, LinkTag::A, Rel::NONE, "Maritime Museum")],
                    false,
                )
            }
        };
        records.push(record(url, moments.at(LAST_DAY), Visit::Responded(Box::new(content))));
    }
    Ok(records)
}

fn museum_facts(address: Ipv4Addr, place: &Place) -> PageFacts {
    PageFacts { ip: Some(address.into()), place: place.clone(), ..PageFacts::default() }
}
