//! PageRank by the textbook: slow, plain, and independent of the program's code.

use backlinkd::graph::Csr;

/// One column per node: the targets of its rank; dangling nodes distribute it to all.
fn column(graph: &Csr, node: u32) -> Vec<f64> {
    let nodes = graph.nodes() as usize;
    let targets = graph.targets(node);
    if targets.is_empty() {
        return vec![1.0 / nodes as f64; nodes];
    }
    let weights: Vec<f64> = match graph.weights(node) {
        Some(weights) => weights.iter().map(|&weight| f64::from(weight)).collect(),
        None => vec![1.0; targets.len()],
    };
    let whole: f64 = weights.iter().sum();
    let mut column = vec![0.0; nodes];
    for (&target, weight) in targets.iter().zip(weights) {
        column[target as usize] += weight / whole;
    }
    column
}

/// Solves (I - d·M)p = (1 - d)/n by elimination with pivoting.
pub fn dense(graph: &Csr, damping: f64) -> Vec<f64> {
    let nodes = graph.nodes() as usize;
    let columns: Vec<Vec<f64>> = (0..graph.nodes()).map(|node| column(graph, node)).collect();
    let mut rows: Vec<Vec<f64>> = (0..nodes)
        .map(|row| {
            let entry = |at: usize| f64::from(u8::from(at == row)) - damping * columns[at][row];
            (0..nodes).map(entry).chain([(1.0 - damping) / nodes as f64]).collect()
        })
        .collect();
    for step in 0..nodes {
        let pivot =
            (step..nodes).max_by(|&a, &b| rows[a][step].abs().total_cmp(&rows[b][step].abs())).unwrap();
        rows.swap(step, pivot);
        let top = rows[step].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            if at != step {
                let times = row[step] / top[step];
                row.iter_mut().zip(&top).for_each(|(value, top)| *value -= times * top);
            }
        }
    }
    (0..nodes).map(|at| rows[at][nodes] / rows[at][at]).collect()
}

/// This number of steps of the power method.
pub fn power_method(graph: &Csr, damping: f64, steps: u32) -> Vec<f64> {
    let nodes = graph.nodes() as usize;
    let mut ranks = vec![1.0 / nodes as f64; nodes];
    for _ in 0..steps {
        let mut next = vec![0.0; nodes];
        let mut dangling = 0.0;
        for (node, &rank) in (0..).zip(&ranks) {
            let whole = graph.out_weight(node) as f64;
            if whole == 0.0 {
                dangling += rank;
            }
            for (at, &target) in graph.targets(node).iter().enumerate() {
                let weight = graph.weights(node).map_or(1.0, |weights| f64::from(weights[at]));
                next[target as usize] += damping * rank * weight / whole;
            }
        }
        let everywhere = (1.0 - damping + damping * dangling) / nodes as f64;
        ranks = next.into_iter().map(|rank| rank + everywhere).collect();
    }
    ranks
}
