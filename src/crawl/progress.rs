//! Counters and gauges of a crawl. All its threads update them; the CLI and the metrics read them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::failure_log::RecentFailure;
use super::failures::{FailureCount, FailureTable};
use super::page_rates::PageRates;
use super::state::{CrawlState, StateGauge};
use crate::model::FailureKind;

/// Counters only grow; gauges show the present.
#[derive(Debug, Default)]
pub struct Progress {
    /// Page visits that are stored.
    pub(super) visits: AtomicU64,
    /// Of those, the answered ones.
    pub(super) answered: AtomicU64,
    /// Of the answered ones, those with a status of each class, in the order of [`STATUS_CLASSES`]. A 304 is in none.
    pub(super) responses: [AtomicU64; STATUS_CLASSES.len()],
    /// Of the stored ones, the failed ones, in the order of [`FailureKind::ALL`].
    pub(super) failures: [AtomicU64; FailureKind::ALL.len()],
    /// Failed requests of all kinds, not only for pages.
    pub(super) failed_requests: FailureTable,
    /// URLs that a robots.txt disallows.
    pub(super) disallowed: AtomicU64,
    /// URLs excluded because their host is on the block list, and because they look like a trap.
    pub(super) blocked: AtomicU64,
    pub(super) trapped: AtomicU64,
    /// Pages whose links were ignored because too many pages of the host had the same content.
    pub(super) duplicates: AtomicU64,
    /// Pages that were parsed a second time, and of those, pages whose links differed.
    pub(super) checked: AtomicU64,
    pub(super) differing: AtomicU64,
    /// Header fields dropped by a limit.
    pub(super) dropped_fields: AtomicU64,
    /// Of the answered visits, those with an unchanged page (304).
    pub(super) unchanged: AtomicU64,
    /// Sitemaps read, and robots.txt files requested.
    pub(super) sitemaps: AtomicU64,
    pub(super) robots: AtomicU64,
    /// Links on the stored pages.
    pub(super) links: AtomicU64,
    /// Bytes of bodies, as received and as parsed.
    pub(super) wire_bytes: AtomicU64,
    pub(super) body_bytes: AtomicU64,
    /// CPU time of decoding and parsing, and of computing and writing commits, in nanoseconds.
    pub(super) parse_cpu: AtomicU64,
    pub(super) store_cpu: AtomicU64,
    /// Of the latter, the part for merges of discovered URLs; and the number of merges.
    pub(super) merge_cpu: AtomicU64,
    pub(super) merges: AtomicU64,
    /// Visits that the store refused, and that are made again; and how often it was damaged.
    pub(super) unstored: AtomicU64,
    pub(super) damaged: AtomicU64,
    /// Seeds that are not stored yet.
    pub(super) unstored_seeds: AtomicU64,
    /// Addresses with work and no fetch in flight.
    pub(super) ready: AtomicU64,
    /// Fetches in flight.
    pub(super) in_flight: AtomicU64,
    /// Of those, the slow ones.
    pub(super) slow: AtomicU64,
    /// Queues that a concurrency limit holds back.
    pub(super) throttled: AtomicU64,
    /// Bytes of responses beyond the reserved share of each, and how often one waited for memory.
    pub(super) memory_bytes: AtomicU64,
    pub(super) memory_waits: AtomicU64,
    /// Queues in memory, with or without work.
    pub(super) queues: AtomicU64,
    /// 1 while no pages are fetched because a disk is nearly full, the store takes no writes, or responses cannot be
    /// archived.
    pub(super) paused: AtomicU64,
    /// The state for operators, and the pages over time.
    pub(super) state: StateGauge,
    pub(super) rates: PageRates,
}

/// The classes of statuses; the last one has all others.
pub const STATUS_CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// The class of a status, as its place in [`STATUS_CLASSES`].
pub(super) fn class_of(status: u16) -> usize {
    match status / 100 {
        class @ 2..=5 => usize::from(class) - 2,
        _ => STATUS_CLASSES.len() - 1,
    }
}

/// The counters and gauges at one moment. Their JSON keys are those of earlier versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    #[serde(rename = "pages")]
    pub visits: u64,
    pub answered: u64,
    pub failed: u64,
    /// `failed` by kind, in the order of [`FailureKind::ALL`].
    pub failures: [u64; FailureKind::ALL.len()],
    pub disallowed: u64,
    pub blocked: u64,
    pub trapped: u64,
    pub duplicates: u64,
    pub checked: u64,
    pub differing: u64,
    pub dropped_fields: u64,
    pub unchanged: u64,
    pub sitemaps: u64,
    pub robots: u64,
    pub links: u64,
    pub wire_bytes: u64,
    pub body_bytes: u64,
    pub parse_cpu_ms: u64,
    pub store_cpu_ms: u64,
    pub merge_cpu_ms: u64,
    pub merges: u64,
    pub unstored: u64,
    pub damaged: u64,
    #[serde(rename = "unqueued_seeds")]
    pub unstored_seeds: u64,
    pub ready_addresses: u64,
    #[serde(rename = "under_way")]
    pub in_flight: u64,
    pub slow: u64,
    #[serde(rename = "held")]
    pub throttled: u64,
    pub memory_bytes: u64,
    pub memory_waits: u64,
    #[serde(rename = "hosts")]
    pub queues: u64,
    /// Whether no pages are fetched because a disk is nearly full, the store takes no writes, or responses cannot be
    /// archived.
    pub paused: bool,
}

impl Progress {
    /// Counters that keep the last `recent_failures` failed requests.
    pub(super) fn new(recent_failures: usize) -> Self {
        Self { failed_requests: FailureTable::keeping(recent_failures), ..Self::default() }
    }

    /// The last failed requests, the latest first.
    pub fn recent_failures(&self) -> Vec<RecentFailure> {
        self.failed_requests.last()
    }

    /// The state, and the Unix time at which it began.
    pub fn state(&self) -> (CrawlState, u64) {
        self.state.present()
    }

    /// Whether an operator paused the crawl.
    pub fn is_paused_by_operator(&self) -> bool {
        self.state.is_paused_by_operator()
    }

    /// The pages stored a second, and those stored in each of the last spans of ten seconds, the latest last.
    pub fn page_rates(&self) -> (f64, Vec<u64>) {
        self.rates.read(self.visits.load(Ordering::Relaxed), Instant::now())
    }

    /// The answered visits by class of their status, without those to an unchanged page (304).
    pub fn responses(&self) -> [(&'static str, u64); STATUS_CLASSES.len()] {
        std::array::from_fn(|at| (STATUS_CLASSES[at], self.responses[at].load(Ordering::Relaxed)))
    }

    /// Updates what depends on time.
    pub(super) fn tick(&self, state: CrawlState) {
        self.state.observe(state);
        self.rates.update(self.visits.load(Ordering::Relaxed), Instant::now());
    }

    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn add_failure(&self, kind: FailureKind) {
        if let Some(at) = FailureKind::ALL.iter().position(|known| *known == kind) {
            Self::add(&self.failures[at], 1);
        }
    }

    pub(super) fn set(gauge: &AtomicU64, value: usize) {
        gauge.store(value as u64, Ordering::Relaxed);
    }

    /// The failed requests so far, by resource and cause.
    pub fn failed_requests(&self) -> Vec<FailureCount> {
        self.failed_requests.counts()
    }

    /// The values now. Each is correct; together they may be one record apart.
    pub fn figures(&self) -> Figures {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failures = std::array::from_fn(|at| get(&self.failures[at]));
        Figures {
            visits: get(&self.visits),
            answered: get(&self.answered),
            failed: failures.iter().sum(),
            failures,
            disallowed: get(&self.disallowed),
            blocked: get(&self.blocked),
            trapped: get(&self.trapped),
            duplicates: get(&self.duplicates),
            differing: get(&self.differing),
            checked: get(&self.checked),
            dropped_fields: get(&self.dropped_fields),
            unchanged: get(&self.unchanged),
            sitemaps: get(&self.sitemaps),
            robots: get(&self.robots),
            links: get(&self.links),
            wire_bytes: get(&self.wire_bytes),
            body_bytes: get(&self.body_bytes),
            parse_cpu_ms: get(&self.parse_cpu) / 1_000_000,
            store_cpu_ms: get(&self.store_cpu) / 1_000_000,
            merge_cpu_ms: get(&self.merge_cpu) / 1_000_000,
            merges: get(&self.merges),
            unstored: get(&self.unstored),
            damaged: get(&self.damaged),
            unstored_seeds: get(&self.unstored_seeds),
            ready_addresses: get(&self.ready),
            in_flight: get(&self.in_flight),
            slow: get(&self.slow),
            throttled: get(&self.throttled),
            memory_bytes: get(&self.memory_bytes),
            memory_waits: get(&self.memory_waits),
            queues: get(&self.queues),
            paused: get(&self.paused) != 0,
        }
    }
}

/// Measures the CPU time of its thread until it is dropped.
pub(super) struct CpuTimer<'a> {
    counter: &'a AtomicU64,
    start: Duration,
}

impl<'a> CpuTimer<'a> {
    pub(super) fn start(counter: &'a AtomicU64) -> Self {
        Self { counter, start: thread_cpu_time() }
    }
}

impl Drop for CpuTimer<'_> {
    fn drop(&mut self) {
        let spent = thread_cpu_time().saturating_sub(self.start);
        Progress::add(self.counter, u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX));
    }
}

fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
