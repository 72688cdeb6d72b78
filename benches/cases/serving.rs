//! Queries at interactive speed: the query engine on ten million links, on targets of 100 to 1,000,000 links.
//!
//! `BACKLINKD_SERVING` is the directory that contains the links (`benches/README.md`); without it these cases are
//! skipped. `cargo bench -- serving` runs each query warm. `cargo bench -- serving-table` prints the table that is
//! compared with other engines, warm and cold. `cargo bench -- serving-load` only loads the data.

mod engine;
mod load;
mod queries;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, criterion_group};

use engine::Engine;
use queries::{QUERIES, TARGETS};

const VARIABLE: &str = "BACKLINKD_SERVING";
/// The argument that requests only the load of the data.
const LOAD: &str = "serving-load";

/// Runs a command instead of the cases, if the arguments name one; returns whether they did.
pub fn asked_otherwise() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [table::TABLE, ..] => {
            if let Some(data) = data() {
                table::print(&data);
            }
            true
        }
        [LOAD, ..] => {
            data();
            true
        }
        [table::ONCE, data, query, domain] => {
            table::once(Path::new(data), query, domain);
            true
        }
        _ => false,
    }
}

/// The loaded data directory; `None`, with a message, if none is configured.
fn data() -> Option<PathBuf> {
    let Some(directory) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        eprintln!("SKIPPED: serving: {VARIABLE} is not set; see benches/README.md");
        return None;
    };
    load::ensure(&directory);
    Some(directory.join("data"))
}

fn serving(c: &mut Criterion) {
    let Some(data) = data() else { return };
    let engine = Engine::open(&data);
    for query in QUERIES {
        let mut group = c.benchmark_group(format!("serving/{}", query.name));
        group.sample_size(10).warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_millis(500));
        for (size, domain) in TARGETS {
            group.bench_function(size, |bencher| bencher.iter(|| (query.run)(&engine, domain)));
        }
        group.finish();
    }
}

criterion_group!(benches, serving);
