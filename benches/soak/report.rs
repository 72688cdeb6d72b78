//! The samples of the soak, by quarters of its time, and whether they are within the limits.

use std::fmt::Write as _;
use std::time::Duration;

use crate::daemon::Size;
use crate::judge::Verdict;

/// Rate of the last quarter relative to the second's, at least.
const STEADY_RATE: f64 = 0.9;
/// Memory of the last quarter relative to the second's, at most.
const STEADY_MEMORY: f64 = 1.1;
/// Minimum duration of a soak whose rate and memory are judged: shorter ones have not warmed up.
const LONG_ENOUGH: Duration = Duration::from_secs(30 * 60);
/// Differences that are printed, and characters of each.
const SHOWN: usize = 20;
const LONGEST: usize = 500;

/// One sample of daemon and server.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Duration,
    pub requests: u64,
    pub size: Size,
}

impl Sample {
    pub const HEADER: &str = "seconds,requests,resident_kb,open_files,disk_bytes,cpu_seconds";

    pub fn row(&self) -> String {
        let Size { resident_kb, files, disk_bytes, cpu } = self.size;
        format!("{:.0},{},{resident_kb},{files},{disk_bytes},{cpu:.1}", self.at.as_secs_f64(), self.requests)
    }

    pub fn line(&self, before: Option<&Self>) -> String {
        let (requests, seconds) = before.map_or((0, Duration::ZERO), |before| (before.requests, before.at));
        let rate = (self.requests - requests) as f64 / (self.at - seconds).as_secs_f64();
        format!(
            "{:>6.0} s  {rate:>7.0} requests/s  {:>6} MB resident  {:>5} files  {:>7.1} MB on disk  {:>7.1} CPU-s",
            self.at.as_secs_f64(),
            self.size.resident_kb / 1024,
            self.size.files,
            self.size.disk_bytes as f64 / 1e6,
            self.size.cpu
        )
    }
}

/// A quarter of the time.
#[derive(Clone, Copy, Debug, Default)]
struct Quarter {
    rate: f64,
    /// Median and maximum of the samples, in MB.
    resident: u64,
    most_resident: u64,
    files: usize,
    disk: f64,
    cpu_ms: f64,
}

fn quarters(samples: &[Sample]) -> [Quarter; 4] {
    let end = samples.last().map_or(Duration::ZERO, |sample| sample.at);
    std::array::from_fn(|at| {
        let (from, to) = (end * at as u32 / 4, end * (at as u32 + 1) / 4);
        let inside: Vec<&Sample> = samples.iter().filter(|sample| (from..=to).contains(&sample.at)).collect();
        let (Some(first), Some(last)) = (inside.first(), inside.last()) else { return Quarter::default() };
        let mut resident: Vec<u64> = inside.iter().map(|sample| sample.size.resident_kb / 1024).collect();
        resident.sort_unstable();
        let requests = (last.requests - first.requests) as f64;
        Quarter {
            rate: requests / (last.at - first.at).as_secs_f64().max(1.0),
            resident: resident[resident.len() / 2],
            most_resident: resident[resident.len() - 1],
            files: inside.iter().map(|sample| sample.size.files).max().unwrap_or_default(),
            disk: last.size.disk_bytes as f64 / 1e6,
            cpu_ms: 1_000.0 * (last.size.cpu - first.size.cpu) / requests.max(1.0),
        }
    })
}

/// The whole report, and whether everything holds.
pub fn report(samples: &[Sample], verdict: &Verdict, faults: &[(&str, u64)]) -> (String, bool) {
    let quarters = quarters(samples);
    let mut text = "\n| quarter | requests/s | CPU-ms a request | resident MB, middle | most | open files | MB on disk |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (at, quarter) in quarters.iter().enumerate() {
        let Quarter { rate, resident, most_resident, files, disk, cpu_ms } = quarter;
        let _ = writeln!(
            text,
            "| {} | {rate:.1} | {cpu_ms:.2} | {resident} | {most_resident} | {files} | {disk:.1} |",
            at + 1
        );
    }
    let rate = quarters[3].rate / quarters[1].rate;
    let memory = quarters[3].resident as f64 / quarters[1].resident.max(1) as f64;
    let Verdict { pages, links, backlinks, lost, differences } = verdict;
    let _ = writeln!(text, "\nlast quarter beside the second: rate {rate:.3}, memory {memory:.3}");
    let _ = writeln!(text, "compared: {pages} pages, {links} links, {backlinks} backlinks, {lost} lost ones");
    for (what, count) in faults {
        let _ = writeln!(text, "{what}: {count}");
    }
    let _ = writeln!(text, "differences: {}", differences.len());
    for difference in differences.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}", difference.chars().take(LONGEST).collect::<String>());
    }
    let long = samples.last().is_some_and(|last| last.at >= LONG_ENOUGH * 9 / 10);
    if !long {
        let _ = writeln!(
            text,
            "rate and memory are not judged: that needs {} minutes",
            LONG_ENOUGH.as_secs() / 60
        );
    }
    let clean = differences.is_empty() && faults.iter().all(|(_, count)| *count == 0);
    (text, clean && pages > &0 && (!long || (rate >= STEADY_RATE && memory <= STEADY_MEMORY)))
}
