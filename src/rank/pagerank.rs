//! PageRank of a graph, to a proven precision, and bit-identical on any number of threads.
//!
//! **Definition.** With `n` nodes and damping `d`, the ranks `p` sum to 1 and satisfy `p = d·Pᵀp + (1 - d +
//! d·D)/n`. `P` splits the rank of a node among its edges by their weights, or evenly without weights. `D` is
//! the rank of the dangling nodes, which have no edges. Teleportation is uniform, and so is the distribution
//! of the dangling nodes' rank. Self-edges count like any edge. (Brin and Page, *The Anatomy of a Large-Scale
//! Hypertextual Web Search Engine*, 1998; dangling nodes as in Langville and Meyer, *Deeper Inside PageRank*,
//! Internet Mathematics 1, 2004.)
//!
//! **Stopping.** The sweeps of `system` run until their change promises the precision. Then one step `G` of
//! the plain power method is taken from the approximation `x`. Differences of ranks sum to 0, and `G` shrinks
//! such differences by `d` in L1. Hence `‖Gx - p‖ ≤ d/(1 - d)·‖Gx - x‖` for any `x`. If this bound is within
//! the tolerance, `Gx` is returned; otherwise the sweeps continue. The bound holds for exact arithmetic.
//! Rounding adds about 1e-15, which is also the smallest tolerance that can be reached.
//!
//! Pure; runs in the rayon pool of the caller. It does not read links and does not scale ranks: see
//! [`crate::rank::scale`].

use super::system::{Certified, System};
use crate::graph::Csr;

/// The parameters of the computation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// The share of a node's rank that flows over its edges; above 0 and below 1.
    pub damping: f64,
    /// The maximum L1 distance to the exact ranks.
    pub tolerance: f64,
    /// The maximum number of sweeps over the graph.
    pub max_iterations: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { damping: 0.85, tolerance: 1e-9, max_iterations: 1_000 }
    }
}

/// The ranks of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRank {
    /// One rank per node, in the order of the graph. They sum to 1; without nodes there are none.
    pub ranks: Vec<f64>,
    /// The part of that sum that dangling nodes have.
    pub dangling: f64,
    /// The number of sweeps, without the step that proves the bound.
    pub iterations: u32,
    /// The proven bound on the L1 distance to the exact ranks.
    pub error_bound: f64,
}

/// Why the ranks could not be computed.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq)]
pub enum PageRankError {
    #[error("the damping is {0}; set rank.damping to a number between 0 and 1")]
    Damping(f64),
    #[error(
        "after {iterations} sweeps the ranks may still be {error_bound:e} off, more than the {tolerance:e} asked \
         for; raise rank.max_iterations or rank.tolerance (rounding makes less than 1e-14 unreachable)"
    )]
    NotReached { iterations: u32, error_bound: f64, tolerance: f64 },
}

/// Computes the PageRank of a graph. It takes ownership of the graph to free its memory early.
///
/// After each sweep it calls `progress` with the number of the sweep, from 1, and an estimate of the L1
/// error.
///
/// # Errors
/// [`PageRankError`] when the damping is invalid, or when the sweeps allowed do not reach the tolerance.
pub fn pagerank(
    graph: Csr,
    parameters: &Parameters,
    progress: &dyn Fn(u32, f64),
) -> Result<PageRank, PageRankError> {
    let Parameters { damping, tolerance, max_iterations } = *parameters;
    if !(damping > 0.0 && damping < 1.0) {
        return Err(PageRankError::Damping(damping));
    }
    if graph.nodes() == 0 {
        return Ok(PageRank { ranks: Vec::new(), dangling: 0.0, iterations: 0, error_bound: 0.0 });
    }
    if graph.edges() == 0 {
        return Ok(all_dangling(graph.nodes()));
    }
    let system = System::new(graph, damping);
    let mut iterate = system.start();
    let mut promising = tolerance;
    let mut error_bound = f64::INFINITY;
    for iterations in 1..=max_iterations {
        let estimate = system.sweep(&mut iterate);
        progress(iterations, estimate);
        if estimate > promising && iterations < max_iterations {
            continue;
        }
        let Certified { ranks, dangling, error_bound: proven } = system.certify(&iterate);
        if proven <= tolerance {
            return Ok(PageRank { ranks, dangling, iterations, error_bound: proven });
        }
        // The estimate was too low by this factor. Certify again only when the estimate has improved by it.
        promising = estimate * tolerance / proven;
        error_bound = proven;
    }
    Err(PageRankError::NotReached { iterations: max_iterations, error_bound, tolerance })
}

/// The ranks of a graph without edges: all are equal.
fn all_dangling(nodes: u32) -> PageRank {
    let ranks = vec![1.0 / f64::from(nodes); nodes as usize];
    PageRank { ranks, dangling: 1.0, iterations: 0, error_bound: 0.0 }
}
