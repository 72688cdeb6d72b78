//! Requests counted, by endpoint and status, and how long their answers took to begin.
//!
//! Counters of their own for each endpoint, without a lock: counting costs a request some nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Histogram;
use super::{Endpoint, routes};

/// Upper bounds of the histogram, in seconds: from an answer that was kept to `api.deadline`.
const BOUNDS: [f64; 10] = [0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 1.5, 5.0, 20.0, 60.0];
/// Statuses that are told apart; any other counts as the last.
const STATUSES: [u16; 15] = [200, 304, 400, 401, 403, 404, 405, 408, 413, 414, 421, 429, 500, 503, 0];
/// What paths that lead nowhere are counted under.
const NOWHERE: &str = "unknown";
/// The metrics themselves.
const METRICS: &str = "metrics";

#[derive(Default)]
struct Figures {
    statuses: [AtomicU64; STATUSES.len()],
    /// The last bucket has no bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// All requests since the start.
pub struct Requests(Vec<(&'static str, Figures)>);

impl Requests {
    pub fn new() -> Self {
        let names = routes::all().map(Endpoint::title).chain([METRICS, NOWHERE]);
        Self(names.map(|name| (name, Figures::default())).collect())
    }

    /// Counts a request to a path whose answer began after this time.
    pub fn count(&self, path: &str, status: u16, took: Duration) {
        let name = match routes::find(path) {
            Some(endpoint) => endpoint.title(),
            None if path == super::metrics::PATH => METRICS,
            None => NOWHERE,
        };
        let Some((_, figures)) = self.0.iter().find(|(known, _)| *known == name) else { return };
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        figures.statuses[status].fetch_add(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        figures.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        figures.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Endpoint, status and number of requests, of all that were asked.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        self.0.iter().flat_map(|(name, figures)| {
            let counts = STATUSES.iter().zip(&figures.statuses);
            counts
                .map(|(status, count)| (*name, *status, count.load(Ordering::Relaxed)))
                .filter(|(.., count)| *count > 0)
        })
    }

    /// The times of each endpoint that was asked.
    pub fn times(&self) -> impl Iterator<Item = (&'static str, Histogram)> {
        let times = |figures: &Figures| {
            let mut count = 0;
            let mut cumulated = figures.buckets.iter().map(|bucket| {
                count += bucket.load(Ordering::Relaxed);
                count
            });
            let buckets: Vec<(f64, u64)> = BOUNDS.into_iter().zip(cumulated.by_ref()).collect();
            let count = cumulated.next_back().unwrap_or(0);
            let sum = figures.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
            Histogram { buckets, sum, count }
        };
        self.0.iter().map(move |(name, figures)| (*name, times(figures))).filter(|(_, times)| times.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_endpoint_status_and_time() {
        let requests = Requests::new();
        for (path, status, milliseconds) in
            [("/sr", 200, 0), ("/sr", 200, 3), ("/sr", 400, 30_000), ("/sr", 418, 70_000), ("/what", 404, 1)]
        {
            requests.count(path, status, Duration::from_millis(milliseconds));
        }
        requests.count("/", 200, Duration::ZERO);
        requests.count("/metrics", 200, Duration::ZERO);
        let mut counts: Vec<_> = requests.counts().collect();
        counts.sort_unstable();
        assert_eq!(
            counts,
            [
                ("metrics", 200, 1),
                ("root", 200, 1),
                ("sr", 0, 1),
                ("sr", 200, 2),
                ("sr", 400, 1),
                ("unknown", 404, 1)
            ]
        );
        let (_, times) = requests.times().find(|(name, _)| *name == "sr").unwrap();
        let expected = [1, 1, 2, 2, 2, 2, 2, 2, 2, 3];
        assert_eq!(times.buckets, BOUNDS.into_iter().zip(expected).collect::<Vec<_>>());
        assert_eq!((times.count, times.sum), (4, 100.003));
    }
}
