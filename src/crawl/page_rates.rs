//! How many pages a crawl stores over time: in each of the last spans of ten seconds, and a second.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The length of a span.
const SPAN: Duration = Duration::from_secs(10);
/// The number of spans that are kept: ten minutes.
const MAX_SPANS: usize = 60;

/// The pages stored over time.
#[derive(Debug, Default)]
pub(super) struct PageRates(Mutex<RateSpans>);

#[derive(Debug)]
struct RateSpans {
    /// When the span that is not over began, and the pages stored before.
    start: Instant,
    pages: u64,
    /// The pages of each span that is over, the latest last.
    over: VecDeque<u64>,
}

impl Default for RateSpans {
    fn default() -> Self {
        Self { start: Instant::now(), pages: 0, over: VecDeque::new() }
    }
}

impl RateSpans {
    /// Ends the spans that are over at `now`. Pages count in the span in which this sees them.
    fn update(&mut self, pages: u64, now: Instant) {
        while now.saturating_duration_since(self.start) >= SPAN {
            if self.over.len() >= MAX_SPANS {
                self.over.pop_front();
            }
            self.over.push_back(pages.saturating_sub(self.pages));
            self.pages = pages;
            self.start += SPAN;
        }
    }

    /// Pages a second, over the last span and the part of the present one. The divisor is one second at least.
    fn per_second(&self, pages: u64, now: Instant) -> f64 {
        let last = self.over.back();
        let seconds =
            now.saturating_duration_since(self.start) + if last.is_some() { SPAN } else { Duration::ZERO };
        let pages = pages.saturating_sub(self.pages) + last.copied().unwrap_or(0);
        pages as f64 / seconds.as_secs_f64().max(1.0)
    }
}

impl PageRates {
    /// Takes the number of pages stored so far.
    pub(super) fn update(&self, pages: u64, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(pages, now);
    }

    /// The pages a second, and those of each of the last spans, the latest last.
    pub(super) fn read(&self, pages: u64, now: Instant) -> (f64, Vec<u64>) {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.update(pages, now);
        (spans.per_second(pages, now), spans.over.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_counts_in_one_span() {
        let start = Instant::now();
        let rates = PageRates(Mutex::new(RateSpans { start, ..RateSpans::default() }));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(rates.read(3, at(0)), (3.0, vec![]));
        assert_eq!(rates.read(20, at(5)), (4.0, vec![]));
        rates.update(50, at(10));
        assert_eq!(rates.read(60, at(15)), (4.0, vec![50]));
        // Nothing was seen for a while: the pages count in the first span that is over, and none is lost.
        assert_eq!(rates.read(100, at(40)), (0.0, vec![50, 50, 0, 0]));
        rates.update(100, at(10_000));
        let (rate, spans) = rates.read(101, at(10_009));
        assert_eq!((rate, spans.len(), spans.iter().sum::<u64>()), (1.0 / 19.0, MAX_SPANS, 0));
    }
}
