//! PageRank: a real web graph to 1e-9, and an R-MAT graph to 1e-6, on one and on two threads.
//!
//! The time covers the whole computation from the graph in memory: transposition, iterations, bound of the error. The
//! number of iterations and the bound are printed before each time.

use std::path::PathBuf;
use std::{fs, hint};

use backlinkd::graph::Csr;
use backlinkd::rank::pagerank::{PageRank, Parameters, pagerank};
use criterion::{BatchSize, Criterion, Throughput, criterion_group};

fn rank(c: &mut Criterion) {
    let cnr = cnr_2000();
    if let Some(graph) = &cnr {
        ranked(c, "cnr-2000 to 1e-6", graph, 1e-6);
        ranked(c, "cnr-2000 to 1e-9", graph, 1e-9);
    }
    ranked(c, "R-MAT 16 to 1e-6", &r_mat(16), 1e-6);
}

fn ranked(c: &mut Criterion, name: &str, graph: &Csr, tolerance: f64) {
    let parameters = Parameters { tolerance, ..Parameters::default() };
    let rank = |graph: Csr| -> PageRank {
        pagerank(graph, &parameters, &|_, _| ()).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let found = rank(graph.clone());
    println!("{name}: {} iterations, error at most {:e}", found.iterations, found.error_bound);
    let mut group = c.benchmark_group(format!("rank/{name}"));
    group.sample_size(20).throughput(Throughput::Elements(graph.edges()));
    for threads in [1, 2] {
        let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool,
            Err(error) => panic!("no pool of {threads} threads: {error}"),
        };
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter_batched(
                || graph.clone(),
                |graph| pool.install(|| hint::black_box(rank(graph))),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The graph of the shared test data; `None`, with a message, if it is absent.
fn cnr_2000() -> Option<Csr> {
    const NODES: u32 = 325_557;
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/graphs/cnr-2000.edges.zst");
    let Ok(packed) = fs::File::open(&file) else {
        println!("SKIPPED: {} is absent; put the shared test data next to the checkout", file.display());
        return None;
    };
    let bytes = zstd::decode_all(packed).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (ids, _) = bytes.as_chunks::<4>();
    let (pairs, _) = ids.as_chunks::<2>();
    let pairs = pairs.iter().map(|[from, to]| (u32::from_le_bytes(*from), u32::from_le_bytes(*to))).collect();
    Some(Csr::from_pairs(NODES, pairs).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// SplitMix64: its output function, and its stream.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mix(*state)
}

/// A graph of 2^scale nodes and 16 draws per node, without loops and repeated edges, as skewed as in Graph 500:
/// quadrants of .57, .19, .19 and .05.
fn r_mat(scale: u32) -> Csr {
    const SEED: u64 = 42;
    let nodes = 1_u32 << scale;
    let draw = |edge: u64| {
        let mut state = mix(SEED ^ mix(edge));
        let (mut from, mut to, mut word) = (0, 0, 0);
        for level in 0..scale {
            if level % 4 == 0 {
                word = next(&mut state);
            }
            let (down, right) = match word & 0xFFFF {
                0..37_356 => (0, 0),
                37_356..49_808 => (0, 1),
                49_808..62_260 => (1, 0),
                _ => (1, 1),
            };
            word >>= 16;
            (from, to) = (from << 1 | down, to << 1 | right);
        }
        (from, to)
    };
    let pairs = (0..16 * u64::from(nodes)).map(draw).filter(|(from, to)| from != to).collect();
    Csr::from_pairs(nodes, pairs).unwrap_or_else(|error| panic!("R-MAT {scale}: {error}"))
}

criterion_group!(benches, rank);
