//! PageRank of any graph, to a proven precision, the same to the last bit on any number of threads.
//!
//! The definition: with `n` nodes and damping `d`, the ranks `p` (which sum up to 1) satisfy
//! `p = d·Pᵀp + (1 - d + d·D)/n`, where `P` splits a node's rank among its edges by their weights (evenly
//! when they have none) and `D` is the rank of the dangling nodes, those without edges: teleport is uniform
//! and so is what dangling nodes hand on. Self-edges count like any edge. (Brin and Page, *The Anatomy of a
//! Large-Scale Hypertextual Web Search Engine*, 1998; the treatment of dangling nodes as in Langville and
//! Meyer, *Deeper Inside PageRank*, Internet Mathematics 1, 2004.)
//!
//! **When it stops.** Sweeps, in `system`, go on until their change promises the precision; then one step `G`
//! of the plain power method is taken from the approximation `x`. Differences of ranks sum up to 0, and `G`
//! shrinks such differences by `d` in L1, so that `‖Gx - p‖ ≤ d/(1 - d)·‖Gx - x‖`, whatever `x` is. `Gx` is
//! returned when that bound is within the tolerance; otherwise the sweeps go on. The bound is of exact
//! arithmetic: rounding adds up to some 1e-15, which is also the least tolerance that can be hoped for.
//!
//! Pure; runs on the rayon pool it is called in. It does not read links and does not scale ranks: see
//! [`crate::rank::scale`].

use super::system::{Certified, System};
use crate::graph::Csr;

/// What to compute, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Share of a node's rank that flows over its edges; between 0 and 1, both excluded.
    pub damping: f64,
    /// Largest L1 distance to the exact ranks.
    pub tolerance: f64,
    /// Sweeps over the graph, at most.
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
    /// Per node, in the order of the graph; sums up to 1 (nothing for a graph without nodes).
    pub ranks: Vec<f64>,
    /// The part of that sum which dangling nodes hold.
    pub dangling: f64,
    /// Sweeps it took; the step that proves the bound is not one of them.
    pub iterations: u32,
    /// The proven bound on the L1 distance to the exact ranks.
    pub error_bound: f64,
}

/// Why there are no ranks.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq)]
pub enum PageRankError {
    #[error("the damping is {0}; set rank.damping to a number between 0 and 1")]
    Damping(f64),
    #[error(
        "after {iterations} sweeps the ranks may still be {error_bound:e} off, more than the {tolerance:e} asked \
         for; raise rank.max_iterations or rank.tolerance (below 1e-14 rounding stands in the way)"
    )]
    NotReached { iterations: u32, error_bound: f64, tolerance: f64 },
}

/// The PageRank of a graph. The graph is given away, as its memory is let go of on the way.
///
/// After every sweep `progress` is told its number, from 1, and an estimate of the L1 error.
///
/// # Errors
/// [`PageRankError`] when the damping is none, or the tolerance is not reached within the sweeps allowed.
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
        // The estimate was too bright by this much; do not try again before it has made up for it.
        promising = estimate * tolerance / proven;
        error_bound = proven;
    }
    Err(PageRankError::NotReached { iterations: max_iterations, error_bound, tolerance })
}

/// Nodes that nothing tells apart.
fn all_dangling(nodes: u32) -> PageRank {
    let ranks = vec![1.0 / f64::from(nodes); nodes as usize];
    PageRank { ranks, dangling: 1.0, iterations: 0, error_bound: 0.0 }
}
