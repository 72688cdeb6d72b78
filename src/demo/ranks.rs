//! The IV Search Ranks that the description leads to, worked out the plain way.
//!
//! PageRank by its definition: rank flows over the edges again and again, over a matrix held in full. Slow,
//! short, and nothing like what the index does, so that each can be checked by the other.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::{ExpectedPage, locate};
use super::web::Web;

const DAMPING: f64 = 0.85;
/// After so many sweeps, what is left of the start is 0.85 to that power: nothing a double could show.
const SWEEPS: usize = 300;

type Pages<'w> = BTreeMap<String, ExpectedPage<'w>>;

/// Ranks of pages, fetched or only known: each passes its rank on to its distinct followed targets.
pub fn of_pages(web: &Web, pages: &Pages<'_>) -> BTreeMap<String, f64> {
    let edges = page_edges(pages);
    let weighted = edges.iter().map(|&(from, to)| (from, to, 1.0)).collect::<Vec<_>>();
    known(web, pages, &|url| url.to_owned(), &weighted)
}

/// Ranks of registrable domains: an edge weighs as many pages as lead from one domain to the other.
pub fn of_domains(web: &Web, pages: &Pages<'_>) -> BTreeMap<String, f64> {
    let domain = |url: &str| locate(web, url).map_or(String::new(), |(host, _)| host.domain.to_owned());
    let leading: BTreeSet<_> =
        page_edges(pages).into_iter().map(|(from, to)| (domain(from), domain(to), from)).collect();
    let mut weights: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (from, to, _) in leading.iter().filter(|(from, to, _)| from != to) {
        *weights.entry((from, to)).or_default() += 1.0;
    }
    let weighted = weights.into_iter().map(|((from, to), weight)| (from, to, weight)).collect::<Vec<_>>();
    known(web, pages, &domain, &weighted)
}

/// Ranks of everything that is known, by the names that `name` gives to URLs.
fn known(
    web: &Web,
    pages: &Pages<'_>,
    name: &dyn Fn(&str) -> String,
    edges: &[(&str, &str, f64)],
) -> BTreeMap<String, f64> {
    let targets = pages.values().flat_map(|page| page.links.iter().map(|link| &link.target.url));
    let canonicals = pages.values().filter_map(|page| page.canonical.as_ref());
    let urls = pages.keys().chain(targets).chain(canonicals).filter(|url| locate(web, url).is_some());
    let nodes: BTreeSet<String> = urls.map(|url| name(url)).collect();
    let ranks = ranks(&nodes.iter().map(String::as_str).collect::<Vec<_>>(), edges);
    nodes.into_iter().zip(ranks).collect()
}

/// A canonical gets all that its copy has to give; otherwise every followed target gets the same.
fn page_edges<'p>(pages: &'p Pages<'_>) -> BTreeSet<(&'p str, &'p str)> {
    let mut edges = BTreeSet::new();
    for (url, page) in pages {
        match &page.canonical {
            Some(canonical) => {
                edges.insert((url.as_str(), canonical.as_str()));
            }
            None => {
                let followed = page.links.iter().filter(|link| !link.nofollow);
                edges.extend(followed.map(|link| (url.as_str(), link.target.url.as_str())));
            }
        }
    }
    edges
}

fn ranks(nodes: &[&str], edges: &[(&str, &str, f64)]) -> Vec<f64> {
    let count = nodes.len();
    let mut shares = vec![vec![0.0; count]; count];
    for (from, to, weight) in edges {
        if let (Ok(from), Ok(to)) = (nodes.binary_search(from), nodes.binary_search(to)) {
            shares[from][to] = *weight;
        }
    }
    let mut rank = vec![1.0 / count as f64; count];
    let mut least = 0.0;
    for _ in 0..SWEEPS {
        let mut next = vec![0.0; count];
        let mut dangling = 0.0;
        for (from, row) in shares.iter().enumerate() {
            let total: f64 = row.iter().sum();
            if total == 0.0 {
                dangling += rank[from];
                continue;
            }
            for (to, share) in row.iter().enumerate() {
                next[to] += DAMPING * rank[from] * share / total;
            }
        }
        least = (1.0 - DAMPING + DAMPING * dangling) / count as f64;
        rank = next.into_iter().map(|flown| flown + least).collect();
    }
    rank.into_iter().map(|rank| search_rank(rank / least)).collect()
}

/// How many times as strong as a page that nobody links to, as a power of eight, to two decimals.
fn search_rank(strength: f64) -> f64 {
    ((strength.ln() / 8.0_f64.ln() * 100.0).round() / 100.0).clamp(0.0, 10.0)
}
