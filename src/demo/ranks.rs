//! The expected IV Search Ranks, computed directly from the definition.
//!
//! PageRank by power iteration over a dense matrix: slow, short, and unlike the implementation of the index, so that
//! each verifies the other.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_page::{ExpectedPage, locate};
use super::web::Web;

const DAMPING: f64 = 0.85;
/// After this many sweeps the influence of the start is 0.85 to that power, which is below the precision of a double.
const SWEEPS: usize = 300;

type RankedPages<'w> = BTreeMap<String, ExpectedPage<'w>>;

/// Ranks of all pages, fetched or only discovered. A page distributes its rank over its distinct followed targets.
pub(super) fn of_pages(web: &Web, pages: &RankedPages<'_>) -> BTreeMap<String, f64> {
    let edges = page_edges(pages);
    let weighted = edges.iter().map(|&(from, to)| (from, to, 1.0)).collect::<Vec<_>>();
    rank_nodes(web, pages, &|url| url.to_owned(), &weighted)
}

/// Ranks of registrable domains. The weight of an edge is the number of pages that link from one domain to the other.
pub(super) fn of_domains(web: &Web, pages: &RankedPages<'_>) -> BTreeMap<String, f64> {
    let domain = |url: &str| locate(web, url).map_or(String::new(), |(host, _)| host.domain.to_owned());
    let leading: BTreeSet<_> =
        page_edges(pages).into_iter().map(|(from, to)| (domain(from), domain(to), from)).collect();
    let mut weights: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (from, to, _) in leading.iter().filter(|(from, to, _)| from != to) {
        *weights.entry((from, to)).or_default() += 1.0;
    }
    let weighted = weights.into_iter().map(|((from, to), weight)| (from, to, weight)).collect::<Vec<_>>();
    rank_nodes(web, pages, &domain, &weighted)
}

/// Ranks of all nodes, which are the names that `name` gives to URLs.
fn rank_nodes(
    web: &Web,
    pages: &RankedPages<'_>,
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

/// A canonical URL gets the whole rank of its copy; otherwise all followed targets get equal shares.
fn page_edges<'p>(pages: &'p RankedPages<'_>) -> BTreeSet<(&'p str, &'p str)> {
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

/// The strength relative to a page without backlinks, as a logarithm to base eight with two decimals.
fn search_rank(strength: f64) -> f64 {
    ((strength.ln() / 8.0_f64.ln() * 100.0).round() / 100.0).clamp(0.0, 10.0)
}
