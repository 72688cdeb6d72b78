//! Directed graphs in memory: node names in key order, edges as compressed sparse rows.
//!
//! Responsible for the shape of a graph and nothing else: names become node ids ([`NodeNames`]), edges become
//! rows ([`Csr`]), a graph of pages becomes a graph of hosts or domains ([`quotient()`]). Pure: no files, no
//! clock, and no idea of what a URL is. What goes in are byte strings and pairs of ids; whoever wants ids
//! that lie close where pages lie close names the nodes by their sortable URLs, as ids follow the names'
//! order.
//!
//! Invariants: node ids are `0..nodes`, at most `u32::MAX` nodes; every row's targets ascend and are
//! distinct; weights are at least 1. Equal input gives an equal graph, whatever the number of threads.
//!
//! Memory: a node costs its name + 8 bytes, and 8 bytes in each [`Csr`]; an edge costs 4 bytes, a weighted
//! edge 8. What building costs on top is said at each builder.

mod csr;
mod nodes;
mod quotient;

pub use csr::{Csr, CsrBuilder};
pub use nodes::{NodeNames, NodeNamesBuilder};
pub use quotient::quotient;

/// Input that is no graph.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GraphError {
    #[error("the graph has {0} nodes, more than the {max} that node ids of 32 bits can tell apart", max = u32::MAX)]
    TooManyNodes(usize),
    #[error("an edge names node {node}, but the graph has only {nodes} nodes, numbered from 0")]
    NoSuchNode { node: u32, nodes: u32 },
    #[error(
        "the links of node {node} came after those of node {after}; give rows in ascending order, each once"
    )]
    RowOrder { node: u32, after: u32 },
}
