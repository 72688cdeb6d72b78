//! The expected index of a generated web, computed from its description by the slowest means.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::model::{LinkTag, Rel};
use backlinkd::store::Store;
use backlinkd::urls::{CanonicalUrl, Scope, Suffixes, UrlRules};

use crate::support::made_web::{MadePage, split};

/// A link with the properties that both the index and the description know.
pub type Told = (String, u32, LinkTag, Rel, String);

pub fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

fn domain_of(suffixes: &Suffixes, url: &str) -> String {
    suffixes.domain_of(split(url).0).to_owned()
}

fn is_external(source: &str, target: &str) -> bool {
    let bare = |url: &str| split(url).0.trim_start_matches("www.").to_owned();
    bare(source) != bare(target)
}

/// Pages, their links, the backlinks, and the totals.
pub fn assert_index(store: &Store, expected: &BTreeMap<String, MadePage>) {
    let snapshot = store.snapshot();
    let rows: Vec<_> = snapshot.graph().map(|row| row.unwrap()).collect();
    let known: BTreeMap<String, _> = rows.iter().map(|row| (row.url.to_string(), row)).collect();
    let missing: Vec<_> = expected.keys().filter(|url| !known.contains_key(*url)).collect();
    let odd: Vec<_> = known.keys().filter(|url| !expected.contains_key(*url)).collect();
    assert!(missing.is_empty() && odd.is_empty(), "missing: {missing:?}, not expected: {odd:?}");
    let mut links = 0;
    for (source, page) in expected {
        let row = known[source];
        assert_eq!(row.page.facts.status, page.status(), "{source}");
        if let MadePage::Html { title, .. } = page {
            assert_eq!(row.page.facts.title, *title, "{source}");
        }
        assert_eq!(row.page.facts.html, matches!(page, MadePage::Html { .. }), "{source}");
        let told: Vec<Told> = row
            .links
            .iter()
            .map(|link| (link.target.to_string(), link.pos, link.tag, link.rel, link.anchor.clone()))
            .collect();
        let made: Vec<Told> = (1..)
            .zip(page.links())
            .map(|(pos, link)| (link.target, pos, link.tag, link.rel, link.anchor))
            .collect();
        assert_eq!(told, made, "{source}");
        let external = made.iter().filter(|link| is_external(source, &link.0)).count();
        assert_eq!(
            (row.page.ext_links, row.page.int_links),
            (external as u32, (made.len() - external) as u32)
        );
        links += made.len() as u64;
    }
    let backlinks = assert_backlinks(store, expected);
    let stats = store.stats().unwrap();
    assert_eq!((stats.visited, stats.links, stats.backlinks), (expected.len() as u64, links, backlinks));
    assert_eq!(stats.queued, 0);
}

/// Source, target, position, blpcount.
type Backlink = (String, String, u32, u32);

fn assert_backlinks(store: &Store, expected: &BTreeMap<String, MadePage>) -> u64 {
    let suffixes = store.suffixes();
    let mut made: BTreeSet<Backlink> = BTreeSet::new();
    for (source, page) in expected {
        let links = page.links();
        for (pos, link) in (1..).zip(&links).filter(|(_, link)| is_external(source, &link.target)) {
            let alike = links.iter().filter(|other| {
                is_external(source, &other.target)
                    && domain_of(suffixes, &other.target) == domain_of(suffixes, &link.target)
            });
            made.insert((source.clone(), link.target.clone(), pos, alike.count() as u32));
        }
    }
    let domains: BTreeSet<String> = made.iter().map(|(_, target, ..)| domain_of(suffixes, target)).collect();
    let snapshot = store.snapshot();
    let mut told = BTreeSet::new();
    for domain in domains {
        let rows = snapshot.backlinks(&Scope::Domain { domain }, None).map(|row| row.unwrap().value);
        for row in rows.filter(|row| row.is_active()) {
            told.insert((row.source.to_string(), row.target.to_string(), row.pos, row.blpcount));
        }
    }
    assert_eq!(told, made);
    made.len() as u64
}

/// Lost links, by page and target.
pub fn inactive(store: &Store) -> BTreeMap<(String, String), usize> {
    let snapshot = store.snapshot();
    let mut lost = BTreeMap::new();
    for row in snapshot.graph() {
        let row = row.unwrap();
        for link in snapshot.outlinks(&row.url).unwrap().iter().filter(|link| !link.is_active()) {
            *lost.entry((row.url.to_string(), link.target.to_string())).or_default() += 1;
        }
    }
    lost
}

/// The links that one web has and the other lacks, by page and target.
pub fn surplus(
    one: &BTreeMap<String, MadePage>,
    other: &BTreeMap<String, MadePage>,
) -> BTreeMap<(String, String), usize> {
    let count = |pages: &BTreeMap<String, MadePage>, source: &str, target: &str| {
        let links = pages.get(source).map_or_else(Vec::new, MadePage::links);
        links.iter().filter(|link| link.target == target).count()
    };
    let mut surplus = BTreeMap::new();
    for (source, page) in one {
        for link in page.links() {
            let more = count(one, source, &link.target).saturating_sub(count(other, source, &link.target));
            if more > 0 {
                surplus.insert((source.clone(), link.target), more);
            }
        }
    }
    surplus
}

/// Ranks of pages, hosts and domains by the power method on dense matrices.
pub fn assert_ranks(store: &Store, expected: &BTreeMap<String, MadePage>) {
    let suffixes = store.suffixes();
    let mut nodes: BTreeSet<String> = expected.keys().cloned().collect();
    nodes.extend(expected.values().flat_map(MadePage::links).map(|link| link.target));
    let mut edges: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (source, page) in expected {
        for link in page.links().into_iter().filter(|link| link.rel == Rel::NONE) {
            edges.insert((source.clone(), link.target), 1.0);
        }
    }
    let snapshot = store.snapshot();
    for (page, rank) in dense_ranks(&nodes, &edges) {
        assert_rank(&page, snapshot.page_rank(&url(&page)).unwrap().as_f64(), rank);
    }
    let host = |url: &str| split(url).0.to_owned();
    for (host, rank) in site_ranks(&nodes, &edges, host) {
        assert_rank(&host, snapshot.host_rank(&host).unwrap().as_f64(), rank);
    }
    for (domain, rank) in site_ranks(&nodes, &edges, |url| domain_of(suffixes, url)) {
        assert_rank(&domain, snapshot.domain_rank(&domain).unwrap().as_f64(), rank);
    }
}

/// A value halfway between two hundredths may be rounded either way.
fn assert_rank(name: &str, told: f64, made: f64) {
    assert!((told - made).abs() <= 0.005 + 1e-6, "{name} has rank {told}, not {made}");
}

fn site_ranks(
    nodes: &BTreeSet<String>,
    edges: &BTreeMap<(String, String), f64>,
    site: impl Fn(&str) -> String,
) -> Vec<(String, f64)> {
    let pages: BTreeSet<(&String, String, String)> = edges
        .keys()
        .map(|(source, target)| (source, site(source), site(target)))
        .filter(|(_, from, to)| from != to)
        .collect();
    let mut weights: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (_, from, to) in pages {
        *weights.entry((from, to)).or_default() += 1.0;
    }
    dense_ranks(&nodes.iter().map(|url| site(url)).collect(), &weights)
}

fn dense_ranks(nodes: &BTreeSet<String>, edges: &BTreeMap<(String, String), f64>) -> Vec<(String, f64)> {
    const D: f64 = 0.85;
    let count = nodes.len();
    let place: BTreeMap<&String, usize> = nodes.iter().zip(0..).collect();
    let mut matrix = vec![vec![0.0; count]; count];
    for ((source, target), weight) in edges {
        matrix[place[source]][place[target]] = *weight;
    }
    let dangling: Vec<bool> = matrix.iter().map(|row| row.iter().sum::<f64>() == 0.0).collect();
    let mut ranks = vec![1.0 / count as f64; count];
    let mut lost = 0.0;
    for _ in 0..300 {
        lost = (0..count).filter(|&node| dangling[node]).map(|node| ranks[node]).sum();
        let mut next = vec![(1.0 - D + D * lost) / count as f64; count];
        for (source, row) in matrix.iter().enumerate().filter(|(source, _)| !dangling[*source]) {
            let whole: f64 = row.iter().sum();
            for (target, weight) in row.iter().enumerate() {
                next[target] += D * ranks[source] * weight / whole;
            }
        }
        ranks = next;
    }
    let strength = |rank: f64| rank * count as f64 / (1.0 - D + D * lost);
    nodes.iter().cloned().zip(ranks).map(|(node, rank)| (node, strength(rank).log(8.0).min(10.0))).collect()
}
