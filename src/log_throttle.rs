//! Lines of the log about what may happen thousands of times a second: one a minute, with a count.

use std::time::{Duration, Instant};

/// Time between two lines.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts events of one kind between two lines of the log.
#[derive(Debug, Default)]
pub struct LogThrottle {
    count: u64,
    logged: Option<Instant>,
}

impl LogThrottle {
    /// Counts an event. Returns the number of events since the last line if a line is due.
    pub fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        let is_due = self.logged.is_none_or(|logged| now.saturating_duration_since(logged) >= INTERVAL);
        is_due.then(|| {
            self.logged = Some(now);
            std::mem::take(&mut self.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_counts_the_events_since_the_last() {
        let (mut throttle, start) = (LogThrottle::default(), Instant::now());
        let lines: Vec<(u64, u64)> = (0..130)
            .filter_map(|second| Some((second, throttle.count(start + Duration::from_secs(second))?)))
            .collect();
        assert_eq!(lines, [(0, 1), (60, 60), (120, 60)]);
    }
}
