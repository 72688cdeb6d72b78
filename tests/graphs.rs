//! PageRank, compared with independent results: exact fractions, a dense solver, published ranks.

#[path = "graphs/links.rs"]
mod links;
#[path = "graphs/oracle.rs"]
mod oracle;

use std::fs;
use std::path::Path;

use backlinkd::graph::Csr;
use backlinkd::model::SearchRank;
use backlinkd::rank::pagerank::{PageRank, PageRankError, Parameters, pagerank};
use backlinkd::rank::scale::Scale;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::shared;

fn exact() -> Parameters {
    Parameters { tolerance: 1e-13, ..Parameters::default() }
}

fn rank(graph: &Csr, parameters: &Parameters) -> PageRank {
    pagerank(graph.clone(), parameters, &|_, _| ()).unwrap()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

fn graphs_of(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/graphs").join(file);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The graph of a JSON list of pairs; a repeated pair has weight two.
fn graph_of(nodes: &Value, pairs: &Value) -> Csr {
    let id = |value: &Value| value.as_u64().unwrap() as u32;
    let edges = pairs.as_array().unwrap().iter().map(|pair| (id(&pair[0]), id(&pair[1]), 1)).collect();
    Csr::from_weighted(id(nodes), edges).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn fractions(list: &Value) -> Vec<f64> {
    let value = |text: &str| {
        let (above, below) = text.split_once('/').unwrap();
        above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap()
    };
    list.as_array().unwrap().iter().map(|fraction| value(fraction.as_str().unwrap())).collect()
}

#[test]
fn ranks_equal_the_exact_fractions() {
    let file = graphs_of("known.json");
    let graphs = file["graphs"].as_array().unwrap();
    assert_eq!(graphs.len(), 11);
    for known in graphs {
        let found = rank(&graph_of(&known["n"], &known["edges"]), &exact());
        let error = distance(&found.ranks, &fractions(&known["exact"]));
        assert!(error < 1e-13, "{}: off by {error:e}", known["name"]);
        assert!(found.error_bound <= 1e-13);
    }
}

#[test]
fn ranks_equal_those_of_other_programs_at_two_dampings() {
    let file = graphs_of("small.json");
    let graphs = file.as_array().unwrap();
    assert_eq!(graphs.len(), 23);
    for known in graphs {
        let graph = graph_of(&known["nodes"], &known["arcs"]);
        let at_085 = match known.get("pagerank_exact") {
            Some(exact) => fractions(exact),
            None => numbers(&known["pagerank_networkx"]),
        };
        for (damping, expected) in [(0.85, at_085), (0.5, numbers(&known["pagerank_alpha_0.5"]))] {
            let found = rank(&graph, &Parameters { damping, ..exact() });
            let error = distance(&found.ranks, &expected);
            assert!(error < 1e-12, "{} at {damping}: off by {error:e}", known["name"]);
        }
    }
}

#[test]
fn a_real_web_graph_has_its_published_ranks() {
    let (Some(edges), Some(reference), Some(top)) = (
        shared("graphs/cnr-2000.edges.zst"),
        shared("graphs/cnr-2000.pagerank.f64.zst"),
        shared("graphs/cnr-2000.top20.txt"),
    ) else {
        return;
    };
    let unpacked = |path: &Path| zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
    let reference: Vec<f64> = unpacked(&reference)
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let id = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let pairs = unpacked(&edges).chunks_exact(8).map(|pair| (id(&pair[..4]), id(&pair[4..]))).collect();
    let graph = Csr::from_pairs(reference.len() as u32, pairs).unwrap();
    assert_eq!((graph.nodes(), graph.edges()), (325_557, 3_216_152));

    for tolerance in [1e-3, 1e-6, 1e-9] {
        let found = rank(&graph, &Parameters { tolerance, ..Parameters::default() });
        let error = distance(&found.ranks, &reference);
        // The reference itself is accurate to 9e-14.
        assert!(error <= found.error_bound + 1e-13, "{error:e} is beyond the proven {:e}", found.error_bound);
        assert!(found.error_bound <= tolerance);
    }
    let found = in_pool(1, || rank(&graph, &Parameters::default()));
    for threads in [2, 4] {
        assert_same_bytes(&found, &in_pool(threads, || rank(&graph, &Parameters::default())));
    }
    for line in fs::read_to_string(top).unwrap().lines() {
        let mut words = line.split_whitespace().skip(1);
        let node: usize = words.next().unwrap().parse().unwrap();
        let expected: f64 = words.next().unwrap().parse().unwrap();
        assert!((found.ranks[node] - expected).abs() < 1e-9, "node {node}");
    }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn assert_same_bytes(a: &PageRank, b: &PageRank) {
    let bits = |found: &PageRank| found.ranks.iter().map(|rank| rank.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(a), bits(b));
    assert_eq!(a.dangling.to_bits(), b.dangling.to_bits());
    assert_eq!((a.iterations, a.error_bound.to_bits()), (b.iterations, b.error_bound.to_bits()));
}

/// Pseudo-random edges that are the same in every run; some nodes have none.
fn scattered(nodes: u32, edges: u32) -> Vec<(u32, u32, u32)> {
    let hash = |number: u32| u64::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    (0..edges)
        .map(|edge| {
            let hash = hash(edge).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let source = (hash >> 40) as u32 % (nodes - nodes / 5);
            (source, (hash >> 13) as u32 % nodes, 1 + (hash >> 60) as u32)
        })
        .collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let edges = scattered(30_000, 400_000);
    let pairs = edges.iter().map(|&(source, target, _)| (source, target)).collect();
    for graph in [Csr::from_weighted(30_000, edges).unwrap(), Csr::from_pairs(30_000, pairs).unwrap()] {
        let one = in_pool(1, || rank(&graph, &exact()));
        for threads in [2, 3, 4, 7] {
            assert_same_bytes(&one, &in_pool(threads, || rank(&graph, &exact())));
        }
    }
}

#[test]
fn a_graph_of_many_blocks_is_ranked_as_by_the_plain_power_method() {
    let edges = scattered(40_000, 300_000);
    let graph = Csr::from_weighted(40_000, edges).unwrap();
    let found = rank(&graph, &exact());
    let expected = oracle::power_method(&graph, 0.85, 250);
    let error = distance(&found.ranks, &expected);
    assert!(error < 1e-12, "off by {error:e}");
    let dangling: f64 =
        (0..40_000).filter(|&node| graph.out_weight(node) == 0).map(|n| expected[n as usize]).sum();
    assert!(dangling > 0.1 && (found.dangling - dangling).abs() < 1e-12);
}

#[test]
fn graphs_without_nodes_or_edges_have_ranks_too() {
    let none = rank(&Csr::from_pairs(0, vec![]).unwrap(), &exact());
    assert!(none.ranks.is_empty());
    let one = rank(&Csr::from_pairs(1, vec![]).unwrap(), &exact());
    assert_eq!((one.ranks.as_slice(), one.dangling), (&[1.0][..], 1.0));
    let own = rank(&Csr::from_pairs(1, vec![(0, 0)]).unwrap(), &exact());
    assert!((own.ranks[0] - 1.0).abs() < 1e-15 && own.dangling == 0.0);
}

#[test]
fn an_unreachable_tolerance_is_an_error() {
    let graph = Csr::from_weighted(2_000, scattered(2_000, 9_000)).unwrap();
    let hasty = Parameters { max_iterations: 3, ..exact() };
    let error = pagerank(graph.clone(), &hasty, &|_, _| ()).unwrap_err();
    let PageRankError::NotReached { iterations: 3, error_bound, .. } = error else { panic!("{error}") };
    assert!(error_bound > 1e-13 && error_bound < 1.0, "{error_bound}");
    assert!(
        error.to_string().contains("rank.max_iterations") && error.to_string().contains("rank.tolerance")
    );
    for damping in [0.0, 1.0, -0.5, f64::NAN] {
        let result = pagerank(graph.clone(), &Parameters { damping, ..exact() }, &|_, _| ());
        assert!(matches!(result, Err(PageRankError::Damping(_))), "{damping}");
    }
}

#[test]
fn progress_counts_iterations_and_converges() {
    let graph = Csr::from_weighted(2_000, scattered(2_000, 9_000)).unwrap();
    let told = std::cell::RefCell::new(Vec::new());
    let found = pagerank(graph, &exact(), &|sweep, error| told.borrow_mut().push((sweep, error))).unwrap();
    let told = told.into_inner();
    assert!(told.iter().map(|(sweep, _)| *sweep).eq(1..=found.iterations));
    assert!(told[0].1 > 1e-3 && told.last().unwrap().1 <= 1e-13, "{told:?}");
}

#[test]
fn an_unlinked_page_has_rank_zero_and_no_page_more_than_ten() {
    let graph = Csr::from_weighted(2_000, scattered(2_000, 2_000)).unwrap();
    let found = rank(&graph, &Parameters::default());
    let scale = Scale::new(2_000, 0.85, found.dangling);
    let incoming = graph.transpose();
    let unlinked: Vec<u32> = (0..2_000).filter(|&node| incoming.targets(node).is_empty()).collect();
    assert!(unlinked.len() > 100);
    for node in 0..2_000 {
        let is_zero = scale.search_rank(found.ranks[node as usize]) == SearchRank(0);
        assert_eq!(is_zero, unlinked.contains(&node), "node {node}");
    }
    assert_eq!(Scale::new(4_000_000_000, 0.85, 0.3).search_rank(0.9), SearchRank::MAX);
}

/// Graphs of up to 14 nodes, with loops, dangling nodes and weights.
fn any_graph() -> impl Strategy<Value = Csr> {
    (1..15_u32).prop_flat_map(|nodes| {
        let edge = (0..nodes, 0..nodes, prop_oneof![Just(1_u32), 1..1_000_u32, Just(u32::MAX)]);
        (prop::collection::vec(edge, 0..40), any::<bool>()).prop_map(move |(edges, weighted)| {
            if weighted {
                return Csr::from_weighted(nodes, edges).unwrap();
            }
            Csr::from_pairs(nodes, edges.into_iter().map(|(from, to, _)| (from, to)).collect()).unwrap()
        })
    })
}

proptest! {
    #[test]
    fn any_graph_is_ranked_as_by_the_dense_equations(graph in any_graph(), damping in 0.01..0.95_f64) {
        let found = rank(&graph, &Parameters { damping, ..exact() });
        let expected = oracle::dense(&graph, damping);
        let error = distance(&found.ranks, &expected);
        prop_assert!(error < 1e-12, "off by {:e}: {:?}", error, found);
    }

    #[test]
    fn the_proven_bound_holds_at_any_tolerance(graph in any_graph(), digits in 1..10_i32) {
        let tolerance = 10_f64.powi(-digits);
        let found = rank(&graph, &Parameters { tolerance, ..Parameters::default() });
        let error = distance(&found.ranks, &oracle::dense(&graph, 0.85));
        prop_assert!(error <= found.error_bound + 1e-13 && found.error_bound <= tolerance);
    }
}
