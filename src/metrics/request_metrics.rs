//! Request counters by endpoint and status, and histograms of the time to the first byte of the response.
//!
//! Each endpoint has its own counters, without a lock: counting a request takes a few nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Histogram;

/// Upper bounds of the histogram in seconds, from a cached response to `api.deadline`.
const BUCKET_BOUNDS: [f64; 10] = [0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 1.5, 5.0, 20.0, 60.0];
/// Statuses that are counted separately; all others count as the last one.
const STATUSES: [u16; 18] =
    [200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 414, 421, 429, 500, 503, 0];
/// The name under which all other requests are counted.
const UNKNOWN: &str = "unknown";

#[derive(Default)]
struct EndpointCounters {
    statuses: [AtomicU64; STATUSES.len()],
    /// The last bucket has no bound.
    buckets: [AtomicU64; BUCKET_BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The counters of all requests since the start.
pub struct RequestMetrics(Vec<(&'static str, EndpointCounters)>);

impl RequestMetrics {
    /// Counts the requests to each of these endpoints, and all others together.
    pub fn new(endpoints: impl Iterator<Item = &'static str>) -> Self {
        Self(endpoints.chain([UNKNOWN]).map(|name| (name, EndpointCounters::default())).collect())
    }

    /// Counts a request whose response began after `took`. `None` is a path without an endpoint.
    pub fn count(&self, endpoint: Option<&str>, status: u16, took: Duration) {
        let name = endpoint.unwrap_or(UNKNOWN);
        let Some((_, counters)) = self.0.iter().find(|(counted, _)| *counted == name) else { return };
        let status = STATUSES.iter().position(|counted| *counted == status).unwrap_or(STATUSES.len() - 1);
        counters.statuses[status].fetch_add(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = BUCKET_BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKET_BOUNDS.len());
        counters.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        counters.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Returns endpoint, status and number of requests, without zeros.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        self.0.iter().flat_map(|(name, counters)| {
            let counts = STATUSES.iter().zip(&counters.statuses);
            counts
                .map(|(status, count)| (*name, *status, count.load(Ordering::Relaxed)))
                .filter(|(.., count)| *count > 0)
        })
    }

    /// Returns the histogram of each endpoint with requests.
    pub(super) fn times(&self) -> impl Iterator<Item = (&'static str, Histogram)> {
        let times = |counters: &EndpointCounters| {
            let mut count = 0;
            let mut cumulated = counters.buckets.iter().map(|bucket| {
                count += bucket.load(Ordering::Relaxed);
                count
            });
            let buckets: Vec<(f64, u64)> = BUCKET_BOUNDS.into_iter().zip(cumulated.by_ref()).collect();
            let count = cumulated.next_back().unwrap_or(0);
            let sum = counters.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
            Histogram { buckets, sum, count }
        };
        self.0
            .iter()
            .map(move |(name, counters)| (*name, times(counters)))
            .filter(|(_, times)| times.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_endpoint_status_and_time() {
        let requests = RequestMetrics::new(["root", "sr", "metrics"].into_iter());
        for (endpoint, status, milliseconds) in [
            (Some("sr"), 200, 0),
            (Some("sr"), 200, 3),
            (Some("sr"), 400, 30_000),
            (Some("sr"), 418, 70_000),
            (None, 404, 1),
            (Some("root"), 200, 0),
            (Some("metrics"), 200, 0),
        ] {
            requests.count(endpoint, status, Duration::from_millis(milliseconds));
        }
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
        assert_eq!(times.buckets, BUCKET_BOUNDS.into_iter().zip(expected).collect::<Vec<_>>());
        assert_eq!((times.count, times.sum), (4, 100.003));
    }
}
