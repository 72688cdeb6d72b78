//! The main task on real input: the built test web (documentation sites under their real host names, HTTP and TLS,
//! redirects, robots.txt files), crawled, ranked and served. Its link records equal those of another parser, and the
//! answers equal a slow computation from the exported records. The comparison covers all answers of the contract about
//! links into every domain, and all answers about every host and about random pages. Beyond the contract, hosts with
//! more than [`FEW`] backlinks are left out, because the slow computation takes an answer for every link.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use backlinkd::rank::rank_all;
use backlinkd::store::Store;
use backlinkd::urls::{Suffixes, UrlRules};
use serde_json::Value;

use crate::api::about::About;
use crate::api::answers::{agree, agree_on_pages};
use crate::api::client::Client;
use crate::api::intelligence::Web;
use crate::api::oracle::outgoing::World;
use crate::api::recomputed::agree_on_ranks;
use crate::api::server::Server;
use crate::support::dice::Dice;
use crate::support::test_web::TestWeb;
use crate::support::true_links::{Mounts, OurLink, TruePage, lines};

/// Random pages, half of them with links from another host.
const PAGES: usize = 200;

/// Backlinks of a host up to which all its answers are compared.
const FEW: usize = 500;

/// The number of true pages that were compared, and the reasons for the others.
#[derive(Debug, Default)]
struct Compared {
    pages: usize,
    links: usize,
    other_version: usize,
    not_visited: usize,
    not_html: usize,
    differences: Vec<String>,
}

fn compare(store: &Store, mounts: &Mounts, truth: impl Iterator<Item = String>) -> Compared {
    let rules = UrlRules::default();
    let snapshot = store.snapshot();
    let mut compared = Compared::default();
    for line in truth {
        let page = TruePage::read(&line);
        let url = rules.canonical(&page.url).unwrap();
        match snapshot.page(&url).unwrap() {
            _ if mounts.file(&page.url).is_none() => compared.other_version += 1,
            None => compared.not_visited += 1,
            Some(stored) if !stored.facts.html => compared.not_html += 1,
            Some(stored) => {
                let links = snapshot.outlinks(&url).unwrap();
                let ours: Vec<OurLink<'_>> = links
                    .iter()
                    .map(|link| OurLink {
                        tag: link.tag,
                        target: link.target.as_str(),
                        rel: link.rel,
                        anchor: &link.anchor,
                    })
                    .collect();
                compared.pages += 1;
                compared.links += links.len();
                compared.differences.extend(page.differences(&stored.facts.title, &ours));
            }
        }
    }
    compared
}

/// Counts the external links of an exported page by the domains of their targets.
fn count_links(page: &Value, suffixes: &Suffixes, counts: &mut BTreeMap<String, usize>) {
    let rules = UrlRules::default();
    for link in page["extL"].as_array().unwrap() {
        let target = rules.canonical(link["url"].as_str().unwrap()).unwrap();
        *counts.entry(suffixes.domain_of(target.host()).to_owned()).or_insert(0) += 1;
    }
}

/// Compares all answers about every visited host.
fn agree_on_hosts(web: &Web<'_>, world: &World, client: &Client, suffixes: &Suffixes, pages: &[String]) {
    let hosts: BTreeSet<String> = pages.iter().map(|page| host(page)).collect();
    let mut small = Vec::new();
    for host in &hosts {
        let about = About::host(host);
        let count = agree(client, suffixes, about);
        agree_on_pages(client, world, about);
        if count <= FEW {
            assert!(web.agree_on_scope(host, &about.more()) >= count);
            web.agree_on_competitors(host, &about.more());
            small.push(host.as_str());
        }
    }
    assert!(hosts.len() > 40 && small.len() > 10, "{} of {} hosts are small", small.len(), hosts.len());
    let shared = small.windows(2).map(|pair| web.agree_on_intersection(pair, &[], "&scope=host"));
    assert!(shared.sum::<usize>() > 0);
}

/// Visited pages with links from another host.
fn linked_to(store: &Store, pages: &[String]) -> Vec<String> {
    let snapshot = store.snapshot();
    let mut targets = BTreeSet::new();
    for row in snapshot.graph() {
        let row = row.unwrap();
        let elsewhere = row.links.iter().filter(|link| link.target.host() != row.url.host());
        targets.extend(elsewhere.map(|link| link.target.as_str().to_owned()));
    }
    pages.iter().filter(|page| targets.contains(*page)).cloned().collect()
}

/// Compares all answers about some of the visited pages.
fn agree_on_drawn(web: &Web<'_>, world: &World, client: &Client, suffixes: &Suffixes, pages: &[&[String]]) {
    let mut dice = Dice(2_024);
    let mut met = 0;
    for pages in pages.iter().cycle().take(PAGES) {
        let page = pages[dice.below(pages.len() as u64) as usize].as_str();
        met += agree(client, suffixes, page);
        agree_on_pages(client, world, page);
        web.agree_on_scope(page, "");
        web.agree_on_competitors(page, "");
        web.agree_on_chain(page);
    }
    assert!(met > 200, "{met}");
}

fn host(page: &str) -> String {
    url::Url::parse(page).unwrap().host_str().unwrap().to_owned()
}

#[test]
fn the_whole_test_web_is_crawled_ranked_and_served_exactly() {
    let Some(truth) = lines() else { return };
    let truth: Vec<String> = truth.collect();
    let Some(web) = TestWeb::serve(truth.iter(), Duration::ZERO) else { return };
    let Some(mounts) = Mounts::of(&web.web) else { return };
    let start = Instant::now();
    let store = web.open("data");
    let suffixes = store.suffixes().clone();
    let figures = web.crawl(&store);
    rank_all(&store, &web.config.rank, store.suffixes(), &|_| {}).unwrap();
    eprintln!("{figures:?}\n{:?}", store.stats().unwrap());

    let compared = compare(&store, &mounts, truth.into_iter());
    let first: Vec<&String> = compared.differences.iter().take(20).collect();
    assert!(compared.differences.is_empty(), "{} differ: {first:#?}", compared.differences.len());
    eprintln!("{compared:?}");
    assert!(compared.pages > 12_000 && compared.links > 1_300_000, "{compared:?}");

    let pages: Vec<String> =
        store.snapshot().graph().map(|page| page.unwrap().url.as_str().to_owned()).collect();
    let visited: BTreeSet<String> =
        pages.iter().map(|page| suffixes.domain_of(&host(page)).to_owned()).collect();
    drop(store);
    let api = Server::over(web.stop());
    let client = &api.client;
    let mut by_pages = BTreeMap::new();
    let web = Web::reading(client, &api.store, |page| count_links(page, &suffixes, &mut by_pages));
    for domain in visited.iter().chain(by_pages.keys()).collect::<BTreeSet<_>>() {
        let count = agree(client, &suffixes, domain);
        assert_eq!(count, by_pages.get(domain).copied().unwrap_or(0), "{domain}");
    }
    eprintln!("{} domains agree after {:?}", by_pages.len(), start.elapsed());
    let (ranked, canonicals) = agree_on_ranks(client, visited.iter().map(String::as_str));
    assert!(ranked > 12_000 && canonicals > 50, "{ranked} pages, {canonicals} canonicals");

    let world = World::read(client, &suffixes, by_pages.keys());
    agree_on_hosts(&web, &world, client, &suffixes, &pages);
    eprintln!("hosts agree after {:?}", start.elapsed());
    let linked = linked_to(&api.store, &pages);
    agree_on_drawn(&web, &world, client, &suffixes, &[&pages, &linked]);
    eprintln!("pages agree after {:?}", start.elapsed());
}
