//! Detects the overload of a queue, which is a queue that has not been empty for a while. As in CoDel (RFC 8289), the
//! age of a standing queue counts, not its length.
//!
//! An overload consists of periods of that length. It continues while more than one in [`REFUSED_SHARE`] requests is
//! refused. One period in [`TRIAL_EVERY`] is a trial with all permits. Queries that wait for the disk need more permits
//! than an overload leaves; without trials they would be refused forever.

use std::time::{Duration, Instant};

const REFUSED_SHARE: u32 = 16;
/// Trials are rare enough not to show in the 99th percentile of response times.
const TRIAL_EVERY: u32 = 60;

/// The overload of a queue.
pub(super) struct Overload {
    /// How long a queue has to stand to be overloaded; also the length of a period.
    threshold: Duration,
    period: Option<OverloadPeriod>,
}

struct OverloadPeriod {
    end: Instant,
    /// The number of earlier periods of this overload.
    number: u32,
    requests: u32,
    refused: u32,
}

impl Overload {
    pub(super) fn new(threshold: Duration) -> Self {
        Self { threshold, period: None }
    }

    /// Whether a queue that has been non-empty since `waiting_since` is a standing queue.
    pub(super) fn is_standing(&self, waiting_since: Option<Instant>, now: Instant) -> bool {
        waiting_since.is_some_and(|since| now - since > self.threshold)
    }

    /// Whether a request at this time is the first of a period, so that [`Self::begin_period`] is due.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.period.as_ref().is_none_or(|period| now >= period.end)
    }

    /// Begins a period of overload, or ends the overload.
    pub(super) fn begin_period(&mut self, is_standing: bool, now: Instant) {
        let continues = self.period.as_ref().is_some_and(|last| {
            let is_recent = now - last.end <= self.threshold;
            is_recent && last.refused.saturating_mul(REFUSED_SHARE) >= last.requests
        });
        let number = self.period.as_ref().map_or(0, |last| last.number.saturating_add(1));
        let end = now.checked_add(self.threshold).filter(|_| is_standing || continues);
        self.period = end.map(|end| OverloadPeriod { end, number, requests: 0, refused: 0 });
    }

    pub(super) fn count_request(&mut self) {
        if let Some(period) = &mut self.period {
            period.requests += 1;
        }
    }

    pub(super) fn count_refused(&mut self) {
        if let Some(period) = &mut self.period {
            period.refused += 1;
        }
    }

    /// Whether the queue is limited to few waiting requests.
    pub(super) fn limits_waiting(&self) -> bool {
        self.period.is_some()
    }

    /// Whether few permits are given.
    pub(super) fn limits_permits(&self, now: Instant) -> bool {
        self.period.as_ref().is_some_and(|period| now < period.end && !period.is_trial())
    }
}

impl OverloadPeriod {
    fn is_trial(&self) -> bool {
        self.number % TRIAL_EVERY == TRIAL_EVERY - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: Duration = Duration::from_secs(1);

    /// Counts the requests of a period, of which some are refused.
    fn count(overload: &mut Overload, requests: u32, refused: u32) {
        (0..requests).for_each(|_| overload.count_request());
        (0..refused).for_each(|_| overload.count_refused());
    }

    #[test]
    fn an_overload_begins_with_a_standing_queue_and_ends_with_few_refusals() {
        let (mut overload, start) = (Overload::new(THRESHOLD), Instant::now());
        assert!(!overload.is_standing(Some(start), start + THRESHOLD));
        assert!(overload.is_standing(Some(start), start + THRESHOLD * 2));
        overload.begin_period(false, start);
        assert!(!overload.limits_waiting() && overload.is_due(start));
        overload.begin_period(true, start);
        assert!(overload.limits_waiting() && overload.limits_permits(start) && !overload.is_due(start));
        count(&mut overload, 100, 50);
        overload.begin_period(false, start + THRESHOLD);
        assert!(overload.limits_permits(start + THRESHOLD));
        count(&mut overload, 100, 3);
        overload.begin_period(false, start + THRESHOLD * 2);
        assert!(!overload.limits_waiting());
    }

    #[test]
    fn an_overload_ends_after_a_period_without_requests() {
        let (mut overload, start) = (Overload::new(THRESHOLD), Instant::now());
        overload.begin_period(true, start);
        count(&mut overload, 2, 2);
        // All permits are given again before the next request ends the overload.
        assert!(!overload.limits_permits(start + THRESHOLD));
        overload.begin_period(false, start + THRESHOLD * 3);
        assert!(!overload.limits_waiting());
    }

    #[test]
    fn one_period_in_sixty_is_a_trial() {
        let (mut overload, start) = (Overload::new(THRESHOLD), Instant::now());
        let mut trials = 0;
        for number in 0..180 {
            let now = start + THRESHOLD * number;
            overload.begin_period(number == 0, now);
            count(&mut overload, 10, 5);
            trials += u32::from(!overload.limits_permits(now));
            assert!(overload.limits_waiting());
        }
        assert_eq!(trials, 3);
    }
}
