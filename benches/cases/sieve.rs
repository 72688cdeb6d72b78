//! The set of known URLs: the cost of one discovered URL, with a hundred million known.
//!
//! Fingerprints are uniformly random, as hashes are. A merge takes `crawl.met_urls` of them at once; nine in ten are
//! new, or none. Both are far worse than a crawl, where the cache before the set removes most repeats. `SIEVE_URLS`
//! sets another number of known URLs. The case prints the peak memory of the process at the end.

use std::time::{Duration, Instant};

use backlinkd::config::CrawlConfig;
use backlinkd::sieve::{Candidate, Sieve};
use criterion::{Criterion, Throughput, criterion_group};

const KNOWN: u64 = 100_000_000;

/// SplitMix64 (Steele, Lea, Flood 2014): the fingerprint of the URL with this number.
fn fingerprint(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn candidates(numbers: impl Iterator<Item = u64>) -> Vec<Candidate> {
    let candidate = |(index, number)| Candidate { fingerprint: fingerprint(number), index: index as u32 };
    numbers.enumerate().map(candidate).collect()
}

/// Merges a batch and replaces the set with the result, as the store does.
fn merge(sieve: &mut Sieve, mut batch: Vec<Candidate>) -> usize {
    let merged = sieve.merge(&mut batch).unwrap();
    *sieve = merged.sieve;
    sieve.discard().unwrap();
    merged.is_new.iter().filter(|new| **new).count()
}

/// Building the set takes a minute, so it runs only on first use.
fn is_asked_for() -> bool {
    let mut names = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|name| "sieve".starts_with(&name) || name.contains("sieve"))
}

fn sieve(c: &mut Criterion) {
    if !is_asked_for() {
        return;
    }
    let known = std::env::var("SIEVE_URLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KNOWN);
    let batch = CrawlConfig::default().met_urls as u64;
    let folder = tempfile::tempdir().unwrap();
    let mut sieve = Sieve::open(&folder.path().join("seen"), &[]).unwrap();
    let start = Instant::now();
    let mut next = 0;
    while next < known {
        next += merge(&mut sieve, candidates(next..(next + batch).min(known))) as u64;
    }
    let took = start.elapsed();
    eprintln!(
        "{} URLs known after {:.1} s, all of them new when they came: {:.2} µs each; {} files",
        sieve.len(),
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / known as f64,
        sieve.runs().len()
    );

    let mut group = c.benchmark_group("sieve");
    group.sample_size(10).measurement_time(Duration::from_secs(20)).throughput(Throughput::Elements(batch));
    group.bench_function("a batch of known URLs", |bench| {
        let numbers = || (0..batch).map(|number| number * 7919 % known);
        bench.iter_batched(
            || candidates(numbers()),
            |batch| assert_eq!(merge(&mut sieve, batch), 0),
            criterion::BatchSize::LargeInput,
        );
    });
    group.bench_function("a batch, nine in ten new", |bench| {
        bench.iter_batched(
            || {
                let numbers = (0..batch).map(|at| if at % 10 == 0 { at * 7919 % known } else { next + at });
                let batch = candidates(numbers);
                next += batch.len() as u64;
                batch
            },
            |batch| assert_eq!(merge(&mut sieve, batch), CrawlConfig::default().met_urls / 10 * 9),
            criterion::BatchSize::LargeInput,
        );
    });
    group.throughput(Throughput::Elements(100));
    group.bench_function("a hundred known URLs", |bench| {
        bench.iter(|| assert_eq!(merge(&mut sieve, candidates((0..100).map(|at| at * 104_729))), 0));
    });
    group.finish();
    eprintln!("peak memory: {}", super::memory("VmHWM"));
}

criterion_group!(benches, sieve);
