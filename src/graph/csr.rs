//! Compressed sparse rows: the start of each node's row, and the targets of all rows in one list.

use rayon::slice::ParallelSliceMut;

use super::GraphError;

/// The edges of a graph, by source. The targets of a row are distinct and ascend. Weights, if there are any,
/// are at least 1.
///
/// Memory: 8 bytes per node and 4 per edge; 4 more per edge when weighted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    /// One entry more than there are nodes: row `i` is `offsets[i]..offsets[i + 1]`.
    offsets: Vec<usize>,
    targets: Vec<u32>,
    weights: Option<Vec<u32>>,
}

impl Csr {
    /// The graph of these (source, target) pairs. A repeated pair is one edge.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`] when a pair names a node outside `0..nodes`.
    pub fn from_pairs(nodes: u32, mut pairs: Vec<(u32, u32)>) -> Result<Self, GraphError> {
        pairs.par_sort_unstable();
        pairs.dedup();
        let mut rows = CsrBuilder::new(nodes);
        rows.targets.reserve_exact(pairs.len());
        for row in pairs.chunk_by(|a, b| a.0 == b.0) {
            rows.extend_row(row[0].0, row.iter().map(|pair| pair.1))?;
        }
        Ok(rows.finish())
    }

    /// The weighted graph of these (source, target, weight) triples. The weights of a repeated pair add up,
    /// to `u32::MAX` at most. A pair of weight 0 is no edge.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`] when a triple names a node outside `0..nodes`.
    pub fn from_weighted(nodes: u32, mut edges: Vec<(u32, u32, u32)>) -> Result<Self, GraphError> {
        edges.retain(|edge| edge.2 > 0);
        edges.par_sort_unstable();
        edges.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 = kept.2.saturating_add(next.2);
            }
            same
        });
        let weights = edges.iter().map(|edge| edge.2).collect();
        let mut rows = CsrBuilder::new(nodes);
        rows.targets.reserve_exact(edges.len());
        for row in edges.chunk_by(|a, b| a.0 == b.0) {
            rows.extend_row(row[0].0, row.iter().map(|edge| edge.1))?;
        }
        Ok(Self { weights: Some(weights), ..rows.finish() })
    }

    /// The number of nodes.
    pub fn nodes(&self) -> u32 {
        // The constructors take the number of nodes as u32.
        (self.offsets.len() - 1) as u32
    }

    /// The number of edges.
    pub fn edges(&self) -> u64 {
        self.targets.len() as u64
    }

    /// The targets of a node's edges, ascending.
    ///
    /// # Panics
    /// When the graph has no such node.
    pub fn targets(&self, node: u32) -> &[u32] {
        &self.targets[self.row(node)]
    }

    /// The weights of a node's edges, in the order of [`Self::targets`]; `None` for an unweighted graph.
    ///
    /// # Panics
    /// When the graph has no such node.
    pub fn weights(&self, node: u32) -> Option<&[u32]> {
        let row = self.row(node);
        self.weights.as_ref().map(|weights| &weights[row])
    }

    /// The sum of the weights of a node's edges, or their number in an unweighted graph.
    ///
    /// # Panics
    /// When the graph has no such node.
    pub fn out_weight(&self, node: u32) -> u64 {
        match self.weights(node) {
            Some(weights) => weights.iter().map(|&weight| u64::from(weight)).sum(),
            None => self.row(node).len() as u64,
        }
    }

    fn row(&self, node: u32) -> std::ops::Range<usize> {
        self.offsets[node as usize]..self.offsets[node as usize + 1]
    }

    /// The graph with all edges reversed.
    pub fn transpose(&self) -> Self {
        let same: Vec<u32> = (0..self.nodes()).collect();
        self.transpose_renumbered(&same)
    }

    /// The graph with all edges reversed and node `i` renamed to `place[i]`, in one pass.
    ///
    /// `place` is a permutation of `0..nodes` that keeps the order of the nodes that have edges. So the rows
    /// of the result ascend.
    ///
    /// # Panics
    /// When `place` is shorter than the graph, or names a node that the graph does not have.
    pub fn transpose_renumbered(&self, place: &[u32]) -> Self {
        let mut offsets = vec![0_usize; self.offsets.len()];
        for &target in &self.targets {
            offsets[place[target as usize] as usize + 1] += 1;
        }
        let mut sum = 0;
        for offset in &mut offsets {
            sum += *offset;
            *offset = sum;
        }
        let mut next = offsets.clone();
        let mut targets = vec![0; self.targets.len()];
        let mut weights = self.weights.as_ref().map(|_| vec![0; self.targets.len()]);
        for node in 0..self.nodes() {
            for at in self.row(node) {
                let slot = &mut next[place[self.targets[at] as usize] as usize];
                targets[*slot] = place[node as usize];
                if let (Some(to), Some(from)) = (&mut weights, &self.weights) {
                    to[*slot] = from[at];
                }
                *slot += 1;
            }
        }
        Self { offsets, targets, weights }
    }

    /// Removes the edges from nodes to themselves. Returns their weight per node, 0 for a node without one.
    pub fn take_self_edges(&mut self) -> Vec<u32> {
        let mut taken = vec![0; self.nodes() as usize];
        let (mut start, mut kept) = (0, 0);
        for node in 0..self.nodes() {
            let end = self.offsets[node as usize + 1];
            for at in start..end {
                let weight = self.weights.as_ref().map_or(1, |weights| weights[at]);
                if self.targets[at] == node {
                    taken[node as usize] = weight;
                    continue;
                }
                self.targets[kept] = self.targets[at];
                if let Some(weights) = &mut self.weights {
                    weights[kept] = weight;
                }
                kept += 1;
            }
            start = end;
            self.offsets[node as usize + 1] = kept;
        }
        self.targets.truncate(kept);
        if let Some(weights) = &mut self.weights {
            weights.truncate(kept);
        }
        taken
    }
}

/// Builds an unweighted graph from rows in the order of their nodes. Nothing is stored twice.
#[derive(Debug)]
pub struct CsrBuilder {
    nodes: u32,
    offsets: Vec<usize>,
    targets: Vec<u32>,
}

impl CsrBuilder {
    /// A graph of this many nodes, without edges yet.
    pub fn new(nodes: u32) -> Self {
        let mut offsets = Vec::with_capacity(nodes as usize + 1);
        offsets.push(0);
        Self { nodes, offsets, targets: Vec::new() }
    }

    /// Adds the edges of one node. `targets` may be in any order and may repeat. A node that is left out has
    /// no edges.
    ///
    /// # Errors
    /// [`GraphError::RowOrder`] unless the node comes after all earlier ones; [`GraphError::NoSuchNode`] for
    /// a node or target outside the graph.
    pub fn push_row(&mut self, node: u32, targets: &mut Vec<u32>) -> Result<(), GraphError> {
        targets.sort_unstable();
        targets.dedup();
        self.extend_row(node, targets.iter().copied())
    }

    fn extend_row(&mut self, node: u32, targets: impl Iterator<Item = u32>) -> Result<(), GraphError> {
        self.check(node)?;
        if (node as usize) < self.offsets.len() - 1 {
            return Err(GraphError::RowOrder { node, after: self.offsets.len() as u32 - 2 });
        }
        self.offsets.resize(node as usize + 1, self.targets.len());
        for target in targets {
            self.check(target)?;
            self.targets.push(target);
        }
        self.offsets.push(self.targets.len());
        Ok(())
    }

    fn check(&self, node: u32) -> Result<(), GraphError> {
        if node < self.nodes { Ok(()) } else { Err(GraphError::NoSuchNode { node, nodes: self.nodes }) }
    }

    /// The graph of all rows so far.
    pub fn finish(mut self) -> Csr {
        self.offsets.resize(self.nodes as usize + 1, self.targets.len());
        Csr { offsets: self.offsets, targets: self.targets, weights: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(graph: &Csr) -> Vec<(u32, u32, u32)> {
        (0..graph.nodes())
            .flat_map(|node| {
                let weights = graph.weights(node).map(<[u32]>::to_vec);
                let weights = weights.unwrap_or(vec![1; graph.targets(node).len()]);
                graph
                    .targets(node)
                    .iter()
                    .zip(weights)
                    .map(move |(&to, by)| (node, to, by))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn pairs_in_any_order_make_one_graph() {
        let graph = Csr::from_pairs(4, vec![(2, 1), (0, 3), (2, 0), (0, 3), (2, 2)]).unwrap();
        assert_eq!(edges(&graph), [(0, 3, 1), (2, 0, 1), (2, 1, 1), (2, 2, 1)]);
        assert_eq!((graph.nodes(), graph.edges(), graph.out_weight(2)), (4, 4, 3));
        let mut rows = CsrBuilder::new(4);
        rows.push_row(0, &mut vec![3]).unwrap();
        rows.push_row(2, &mut vec![2, 0, 1, 0]).unwrap();
        assert_eq!(rows.finish(), graph);
    }

    #[test]
    fn weights_of_one_pair_add_up() {
        let graph = Csr::from_weighted(2, vec![(1, 0, 2), (0, 1, 5), (1, 0, 3), (0, 0, 0)]).unwrap();
        assert_eq!(edges(&graph), [(0, 1, 5), (1, 0, 5)]);
        let most = Csr::from_weighted(1, vec![(0, 0, u32::MAX), (0, 0, 7)]).unwrap();
        assert_eq!(most.weights(0), Some(&[u32::MAX][..]));
    }

    #[test]
    fn a_transpose_reverses_every_edge() {
        let graph = Csr::from_weighted(3, vec![(0, 1, 4), (0, 2, 5), (2, 2, 6), (2, 1, 7)]).unwrap();
        assert_eq!(edges(&graph.transpose()), [(1, 0, 4), (1, 2, 7), (2, 0, 5), (2, 2, 6)]);
        assert_eq!(graph.transpose().transpose(), graph);
        assert_eq!(
            edges(&graph.transpose_renumbered(&[0, 2, 1])),
            [(1, 0, 5), (1, 1, 6), (2, 0, 4), (2, 1, 7)]
        );
    }

    #[test]
    fn self_edges_can_be_removed() {
        let mut graph = Csr::from_weighted(3, vec![(0, 0, 4), (0, 2, 5), (1, 1, 1), (2, 1, 7)]).unwrap();
        assert_eq!(graph.take_self_edges(), [4, 1, 0]);
        assert_eq!(graph, Csr::from_weighted(3, vec![(0, 2, 5), (2, 1, 7)]).unwrap());
    }

    #[test]
    fn invalid_edges_are_refused() {
        let stranger = GraphError::NoSuchNode { node: 2, nodes: 2 };
        assert_eq!(Csr::from_pairs(2, vec![(0, 2)]), Err(stranger));
        assert_eq!(Csr::from_pairs(0, vec![(0, 0)]), Err(GraphError::NoSuchNode { node: 0, nodes: 0 }));
        let mut rows = CsrBuilder::new(9);
        rows.push_row(3, &mut vec![]).unwrap();
        assert_eq!(rows.push_row(3, &mut vec![]), Err(GraphError::RowOrder { node: 3, after: 3 }));
        assert_eq!(rows.push_row(1, &mut vec![]), Err(GraphError::RowOrder { node: 1, after: 3 }));
    }
}
