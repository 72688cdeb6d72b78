//! Directed graphs in memory: node names in key order, and edges as compressed sparse rows.
//!
//! Names become node ids ([`NodeNames`]), edges become rows ([`Csr`]), and a graph of pages becomes a graph
//! of hosts or domains ([`quotient()`]). Pure: no files, no clock, and no knowledge of URLs. The input is
//! byte strings and pairs of ids. Ids follow the order of the names, so nodes that are named by SURTs
//! have ids close to those of their neighbours.
//!
//! Invariants: node ids are `0..nodes`, with at most `u32::MAX` nodes. The targets of every row ascend and
//! are distinct. Weights are at least 1. Equal input gives an equal graph, whatever the number of threads.
//!
//! Memory: a node takes its name + 8 bytes, and 8 bytes in each [`Csr`]. An edge takes 4 bytes, a weighted
//! edge 8. Each builder documents what it takes in addition.
#![expect(clippy::cast_possible_truncation, reason = "a graph numbers its nodes in u32")]

mod csr;
mod nodes;
mod quotient;

pub use csr::{Csr, CsrBuilder};
pub use nodes::{NodeNames, NodeNamesBuilder};
pub use quotient::quotient;

/// Why the input is not a graph.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GraphError {
    #[error("the graph has {0} nodes, more than the {max} that have node ids of 32 bits", max = u32::MAX)]
    TooManyNodes(usize),
    #[error("an edge names node {node}, but the graph has only {nodes} nodes, numbered from 0")]
    NoSuchNode { node: u32, nodes: u32 },
    #[error(
        "the links of node {node} came after those of node {after}; give rows in ascending order, each once"
    )]
    RowOrder { node: u32, after: u32 },
}
