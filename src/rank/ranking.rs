//! The computation of all ranks from links, without a store.

use crate::config::RankConfig;
use crate::graph::{Csr, NodeNames};
use crate::model::SearchRank;
use crate::store::{PageLinks, StoreError};
use crate::urls::{CanonicalUrl, Suffixes, Surt};

use super::aggregate::Sites;
use super::pagerank::{Parameters, pagerank};
use super::pages::page_graph;
use super::scale::Scale;
use super::{GraphKind, RankError, RankingStage};

/// The ranks of pages, hosts and domains, computed from one snapshot of the index.
#[derive(Debug)]
pub struct Ranking {
    pages: Ranked,
    hosts: Ranked,
    domains: Ranked,
}

/// The search ranks of one graph.
#[derive(Debug)]
struct Ranked {
    /// Sortable names: of pages, or of hosts with a comma at the end.
    names: NodeNames,
    ranks: Vec<SearchRank>,
    summary: GraphSummary,
}

/// The size of a ranked graph, and the precision of its ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GraphSummary {
    pub nodes: u32,
    pub edges: u64,
    /// The part of all rank that dangling nodes have.
    pub dangling: f64,
    pub iterations: u32,
    /// The proven bound on the L1 error of the PageRanks.
    pub error_bound: f64,
}

/// Ranks the pages of these rows, their hosts and their domains. `rows` is called twice and must return the
/// same rows both times, in the order of their SURTs. Runs in the rayon pool of the caller.
///
/// # Errors
/// [`RankError`] when a row cannot be read, when the rows do not form a graph, or when the precision is not
/// reached.
pub fn rank_rows<R>(
    rows: impl Fn() -> R,
    suffixes: &Suffixes,
    config: &RankConfig,
    progress: &dyn Fn(RankingStage),
) -> Result<Ranking, RankError>
where
    R: Iterator<Item = Result<PageLinks, StoreError>>,
{
    let pages = page_graph(rows, progress)?;
    let (hosts, domains) = Sites::of(&pages.names, suffixes)?.graphs(&pages)?;
    let rank = |kind, names, edges| Ranked::of(kind, names, edges, config, progress);
    Ok(Ranking {
        pages: rank(GraphKind::Pages, pages.names, pages.edges)?,
        hosts: rank(GraphKind::Hosts, hosts.names, hosts.edges)?,
        domains: rank(GraphKind::Domains, domains.names, domains.edges)?,
    })
}

impl Ranked {
    fn of(
        graph: GraphKind,
        names: NodeNames,
        edges: Csr,
        config: &RankConfig,
        progress: &dyn Fn(RankingStage),
    ) -> Result<Self, RankError> {
        let parameters = Parameters {
            damping: config.damping,
            tolerance: config.tolerance,
            max_iterations: config.max_iterations,
        };
        let edge_count = edges.edges();
        let sweep = |iteration, error| progress(RankingStage::Ranking { graph, iteration, error });
        let found = pagerank(edges, &parameters, &sweep)?;
        let scale = Scale::new(names.len(), config.damping, found.dangling);
        let summary = GraphSummary {
            nodes: names.len(),
            edges: edge_count,
            dangling: found.dangling,
            iterations: found.iterations,
            error_bound: found.error_bound,
        };
        let ranks = found.ranks.into_iter().map(|p| scale.search_rank(p)).collect();
        Ok(Self { names, ranks, summary })
    }

    fn rows(&self) -> impl Iterator<Item = (&[u8], SearchRank)> {
        self.names.iter().zip(self.ranks.iter().copied())
    }
}

impl Ranking {
    /// Every page and its rank, in key order.
    pub fn pages(&self) -> impl Iterator<Item = Result<(CanonicalUrl, SearchRank), RankError>> {
        self.pages.rows().map(|(name, rank)| Ok((Surt::bytes_to_url(name)?, rank)))
    }

    /// Every host and its rank, in SURT order.
    pub fn hosts(&self) -> impl Iterator<Item = Result<(String, SearchRank), RankError>> {
        self.hosts.rows().map(|(name, rank)| Ok((Surt::decode_host(name)?, rank)))
    }

    /// Every registrable domain and its rank, in SURT order.
    pub fn domains(&self) -> impl Iterator<Item = Result<(String, SearchRank), RankError>> {
        self.domains.rows().map(|(name, rank)| Ok((Surt::decode_host(name)?, rank)))
    }

    /// The summaries of the pages, the hosts and the domains, in this order.
    pub fn summaries(&self) -> [GraphSummary; 3] {
        [self.pages.summary, self.hosts.summary, self.domains.summary]
    }
}
