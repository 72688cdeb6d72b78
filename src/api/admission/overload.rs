//! Whether a queue is overloaded: it has not been empty for a while (the idea of CoDel, RFC 8289: what counts is how long
//! a queue stands, not how long it is).
//!
//! An overload lasts for periods of that while. It goes on while more than one in [`REFUSED_SHARE`] requests is refused.
//! One period in [`TRIAL_EVERY`] is a trial with all places: queries that wait for the disk need more of them than an
//! overload leaves, and would be refused for good otherwise.

use std::time::{Duration, Instant};

const REFUSED_SHARE: u32 = 16;
/// Few enough trials not to show in the 99th percentile of answers.
const TRIAL_EVERY: u32 = 60;

/// The overload of a queue.
pub struct Overload {
    /// How long a queue has to stand, and how long a period is.
    after: Duration,
    period: Option<Period>,
}

struct Period {
    end: Instant,
    /// Periods of this overload before.
    number: u32,
    requests: u32,
    refused: u32,
}

impl Overload {
    pub fn new(after: Duration) -> Self {
        Self { after, period: None }
    }

    /// Whether a queue that has not been empty since then stands.
    pub fn stands(&self, waiting_since: Option<Instant>, now: Instant) -> bool {
        waiting_since.is_some_and(|since| now - since > self.after)
    }

    /// Whether a request that comes now is the first of a period: [`Self::begin`] is due.
    pub fn is_due(&self, now: Instant) -> bool {
        self.period.as_ref().is_none_or(|period| now >= period.end)
    }

    /// Begins a period of overload, or ends the overload.
    pub fn begin(&mut self, stands: bool, now: Instant) {
        let goes_on = self.period.as_ref().is_some_and(|last| {
            let is_recent = now - last.end <= self.after;
            is_recent && last.refused.saturating_mul(REFUSED_SHARE) >= last.requests
        });
        let number = self.period.as_ref().map_or(0, |last| last.number.saturating_add(1));
        let end = now.checked_add(self.after).filter(|_| stands || goes_on);
        self.period = end.map(|end| Period { end, number, requests: 0, refused: 0 });
    }

    pub fn count_request(&mut self) {
        if let Some(period) = &mut self.period {
            period.requests += 1;
        }
    }

    pub fn count_refused(&mut self) {
        if let Some(period) = &mut self.period {
            period.refused += 1;
        }
    }

    /// Whether few may wait.
    pub fn bounds_waiting(&self) -> bool {
        self.period.is_some()
    }

    /// Whether few places are given.
    pub fn bounds_places(&self, now: Instant) -> bool {
        self.period.as_ref().is_some_and(|period| now < period.end && !period.is_trial())
    }
}

impl Period {
    fn is_trial(&self) -> bool {
        self.number % TRIAL_EVERY == TRIAL_EVERY - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(1);

    /// Counts the requests of a period, of which some are refused.
    fn count(overload: &mut Overload, requests: u32, refused: u32) {
        (0..requests).for_each(|_| overload.count_request());
        (0..refused).for_each(|_| overload.count_refused());
    }

    #[test]
    fn it_begins_with_a_queue_that_stands_and_ends_with_few_refusals() {
        let (mut overload, start) = (Overload::new(AFTER), Instant::now());
        assert!(!overload.stands(Some(start), start + AFTER));
        assert!(overload.stands(Some(start), start + AFTER * 2));
        overload.begin(false, start);
        assert!(!overload.bounds_waiting() && overload.is_due(start));
        overload.begin(true, start);
        assert!(overload.bounds_waiting() && overload.bounds_places(start) && !overload.is_due(start));
        count(&mut overload, 100, 50);
        overload.begin(false, start + AFTER);
        assert!(overload.bounds_places(start + AFTER));
        count(&mut overload, 100, 3);
        overload.begin(false, start + AFTER * 2);
        assert!(!overload.bounds_waiting());
    }

    #[test]
    fn it_is_over_when_nothing_came_for_a_period() {
        let (mut overload, start) = (Overload::new(AFTER), Instant::now());
        overload.begin(true, start);
        count(&mut overload, 2, 2);
        // Places are given again before the next request says that it is over.
        assert!(!overload.bounds_places(start + AFTER));
        overload.begin(false, start + AFTER * 3);
        assert!(!overload.bounds_waiting());
    }

    #[test]
    fn one_period_in_sixty_tries_all_places() {
        let (mut overload, start) = (Overload::new(AFTER), Instant::now());
        let mut trials = 0;
        for number in 0..180 {
            let now = start + AFTER * number;
            overload.begin(number == 0, now);
            count(&mut overload, 10, 5);
            trials += u32::from(!overload.bounds_places(now));
            assert!(overload.bounds_waiting());
        }
        assert_eq!(trials, 3);
    }
}
