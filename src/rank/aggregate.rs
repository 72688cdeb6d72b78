//! The host graph and the domain graph, aggregated from the page graph.
//!
//! The nodes are the hosts of all pages, without port, and their registrable domains. The weight of an edge
//! between two hosts is the number of pages on the first that have an edge to any page on the second;
//! likewise for domains. There are no self-edges: a site cannot recommend itself. The edges are those of the
//! page graph, so a page that passes its rank to a canonical URL counts for that URL's host alone.
//!
//! Nodes are named as in a SURT (`com,example,www,`) and numbered in that order.

use crate::graph::{Csr, NodeNames, NodeNamesBuilder, quotient};
use crate::urls::{Suffixes, Surt, host_prefix};

use super::RankError;
use super::pages::PageGraph;

/// The host graph or the domain graph: names and edges.
pub(super) struct SiteGraph {
    pub names: NodeNames,
    pub edges: Csr,
}

/// The host of each page, and the domain of each host.
pub(super) struct Sites {
    hosts: NodeNames,
    domains: NodeNames,
    host_of_page: Vec<u32>,
    domain_of_host: Vec<u32>,
}

impl Sites {
    pub(super) fn of(pages: &NodeNames, suffixes: &Suffixes) -> Result<Self, RankError> {
        let (hosts, host_of_page) = grouped(pages, |page| Ok(Surt::host_part(page).to_vec()))?;
        let (domains, domain_of_host) =
            grouped(&hosts, |host| Ok(host_prefix(suffixes.domain_of(&Surt::decode_host(host)?))))?;
        Ok(Self { hosts, domains, host_of_page, domain_of_host })
    }

    /// Builds the host graph and the domain graph.
    pub(super) fn graphs(self, pages: &PageGraph) -> Result<(SiteGraph, SiteGraph), RankError> {
        let Self { hosts, domains, host_of_page: mut site_of_page, domain_of_host } = self;
        let host_edges = quotient(&pages.edges, &site_of_page, hosts.len())?;
        for site in &mut site_of_page {
            *site = domain_of_host[*site as usize];
        }
        let domain_edges = quotient(&pages.edges, &site_of_page, domains.len())?;
        Ok((SiteGraph { names: hosts, edges: host_edges }, SiteGraph { names: domains, edges: domain_edges }))
    }
}

/// The names of the groups in order, and the group of each name. Neighbours mostly share a group, so each run
/// of names with equal hosts takes one look-up.
fn grouped(
    names: &NodeNames,
    group_name: impl Fn(&[u8]) -> Result<Vec<u8>, RankError>,
) -> Result<(NodeNames, Vec<u32>), RankError> {
    let mut runs: Vec<(Vec<u8>, usize)> = Vec::new();
    let mut host: &[u8] = &[];
    for name in names.iter() {
        let next = Surt::host_part(name);
        match runs.last_mut() {
            Some((_, length)) if next == host => *length += 1,
            _ => runs.push((group_name(name)?, 1)),
        }
        host = next;
    }
    let mut groups = NodeNamesBuilder::new();
    runs.iter().for_each(|(name, _)| groups.insert(name));
    let groups = groups.finish()?;
    let mut group_of = Vec::with_capacity(names.len() as usize);
    for (name, length) in runs {
        let group = groups.find(&name).ok_or_else(|| RankError::unnamed(&name))?;
        group_of.resize(group_of.len() + length, group);
    }
    Ok((groups, group_of))
}
