//! The serving table: every query on every target, warm and cold, measured as the other engines are.
//!
//! Warm: the least time of at least three runs on an engine that stays open, after one run that does not count. Cold:
//! the least of two runs, each in its own process, without the time to open the database. The pages of the database's
//! files are evicted before each. Standard output has one line per query and target, tab-separated.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise, fsync};

use super::engine::Engine;
use super::queries::{QUERIES, Query, TARGETS};

/// The argument that requests the table.
pub const TABLE: &str = "serving-table";
/// The argument that requests a single run; the data directory, the query's name and the target follow.
pub const ONCE: &str = "serving-once";

const BUDGET: Duration = Duration::from_millis(1_500);
const LEAST_RUNS: usize = 3;
const MOST_RUNS: usize = 200;
const COLD_RUNS: usize = 2;

pub fn print(data: &Path) {
    let engine = Engine::open(data);
    let cells = QUERIES.iter().flat_map(|query| TARGETS.iter().map(move |target| (query, target)));
    let warm: Vec<(usize, Duration)> =
        cells.clone().map(|(query, target)| warm(&engine, query, target.1)).collect();
    // Only one process at a time can open the database.
    drop(engine);
    println!("query\ttarget\tanswer\twarm ms\tcold ms");
    for ((query, (size, domain)), (answer, warm)) in cells.zip(warm) {
        let cold = (0..COLD_RUNS).map(|_| cold(data, query.name, domain)).fold(f64::INFINITY, f64::min);
        println!("{}\t{size}\t{answer}\t{:.4}\t{cold:.3}", query.name, warm.as_secs_f64() * 1e3);
    }
}

fn warm(engine: &Engine, query: &Query, domain: &str) -> (usize, Duration) {
    let answer = (query.run)(engine, domain);
    let begun = Instant::now();
    let mut least = Duration::MAX;
    let mut runs = 0;
    while runs < LEAST_RUNS || (runs < MOST_RUNS && begun.elapsed() < BUDGET) {
        let start = Instant::now();
        let again = (query.run)(engine, domain);
        least = least.min(start.elapsed());
        runs += 1;
        assert_eq!(again, answer, "{} of {domain} has changed", query.name);
    }
    (answer, least)
}

/// Milliseconds of one run in a fresh process.
fn cold(data: &Path, query: &str, domain: &str) -> f64 {
    evict(data);
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(ONCE).arg(data).args([query, domain]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{query}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// One run, in the process that [`cold`] starts.
pub fn once(data: &Path, query: &str, domain: &str) {
    let query = QUERIES.iter().find(|known| known.name == query).unwrap();
    let engine = Engine::open(data);
    let start = Instant::now();
    (query.run)(&engine, domain);
    println!("{}", start.elapsed().as_secs_f64() * 1e3);
}

/// Evicts all files below a directory from the page cache of the system.
fn evict(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            evict(&path);
        } else {
            let file = File::open(&path).unwrap();
            // Pages that are not yet on disk cannot be evicted.
            fsync(&file).unwrap();
            fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        }
    }
}
