//! Backoff of a host: the longer, the more failures it has in a row.
//!
//! Three kinds of failure are counted separately: name servers that give no address, a server that does not
//! respond, and one that responds with errors. The first two start at `crawl.retry_delay` and double up to
//! `crawl.dead_host_retry`. A server that does not respond `crawl.max_attempts` times is parked for
//! `crawl.dead_host_retry` at once.
//!
//! A single error among good responses is the fault of its page, so it causes no backoff, unless it is a 429
//! or a 503. Further errors in a row double the backoff up to `robots.retry_after`.

use std::time::Duration;

use crate::config::{Config, CrawlConfig};
use crate::crawl::timing::LONGEST_BATCH_WAIT;
use crate::frontier::Backoff;

/// The failures of one host in a row, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::crawl) struct HostBackoff {
    unresolved: u32,
    unanswered: u32,
    errors: u32,
}

impl HostBackoff {
    /// Name servers gave no address. That is usually short, so a batch waits for it a few times.
    pub fn on_unresolved(&mut self, config: &CrawlConfig) -> Backoff {
        self.unresolved = self.unresolved.saturating_add(1);
        let length = doubled(config.retry_delay.0, self.unresolved).min(config.dead_host_retry.0);
        match self.unresolved >= config.max_attempts {
            true => Backoff::Parked(length.max(LONGEST_BATCH_WAIT)),
            false => Backoff::For(length),
        }
    }

    /// Failed resolutions in a row.
    pub fn times_unresolved(self) -> u32 {
        self.unresolved
    }

    /// The host was resolved.
    pub fn reset_unresolved(&mut self) {
        self.unresolved = 0;
    }

    /// The host refused the connection, or did not respond in time.
    pub fn on_no_response(&mut self, config: &CrawlConfig) -> Backoff {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= config.max_attempts {
            return Backoff::Parked(config.dead_host_retry.0);
        }
        backoff_of(doubled(config.retry_delay.0, self.unanswered).min(config.dead_host_retry.0))
    }

    /// The host responded.
    pub fn on_response(&mut self, status: u16, retry_after: Option<Duration>, config: &Config) -> Backoff {
        let busy = matches!(status, 429 | 503);
        let is_error = busy || (500..600).contains(&status);
        *self = Self { errors: if is_error { self.errors.saturating_add(1) } else { 0 }, ..Self::default() };
        let times = if busy { self.errors } else { self.errors.saturating_sub(1) };
        let own = doubled(config.crawl.retry_delay.0, times).min(config.robots.retry_after.0);
        let asked = retry_after.filter(|_| busy).map(|length| length.min(config.crawl.dead_host_retry.0));
        backoff_of(asked.unwrap_or(own))
    }

    pub fn is_clear(self) -> bool {
        matches!(self, Self { unresolved: 0, unanswered: 0, errors: 0 })
    }
}

/// The backoff after this many failures, starting at `first`.
fn doubled(first: Duration, times: u32) -> Duration {
    times.checked_sub(1).map_or(Duration::ZERO, |before| first.saturating_mul(1 << before.min(16)))
}

fn backoff_of(length: Duration) -> Backoff {
    match length {
        Duration::ZERO => Backoff::None,
        length if length > LONGEST_BATCH_WAIT => Backoff::Parked(length),
        length => Backoff::For(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(backoff: Backoff) -> u64 {
        match backoff {
            Backoff::None => 0,
            Backoff::For(length) if length <= LONGEST_BATCH_WAIT => length.as_secs(),
            Backoff::Parked(length) => length.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_in_a_row_back_off_and_a_good_response_resets_them() {
        let config = Config::default();
        let mut host = HostBackoff::default();
        let mut after = |status| seconds(host.on_response(status, None, &config));
        assert_eq!([500, 200, 502, 200, 404].map(&mut after), [0; 5]);
        assert_eq!([500, 500, 599, 504, 500, 500].map(&mut after), [0, 10, 20, 40, 80, 160]);
        assert_eq!([500, 500, 500, 500].map(&mut after), [320, 600, 600, 600]);
        assert_eq!([304, 429, 503, 200, 503].map(&mut after), [0, 10, 20, 0, 10]);
        // A bad response is still a response.
        assert_eq!(seconds(host.on_no_response(&config.crawl)), 10);
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_day() {
        let config = Config::default();
        let after = |status, wait| {
            HostBackoff::default().on_response(status, Some(Duration::from_secs(wait)), &config)
        };
        assert_eq!(after(503, 60), Backoff::For(LONGEST_BATCH_WAIT));
        assert_eq!(after(429, 61), Backoff::Parked(Duration::from_secs(61)));
        assert_eq!(after(429, 1_000_000), Backoff::Parked(config.crawl.dead_host_retry.0));
        assert_eq!([after(200, 61), after(503, 0)], [Backoff::None; 2]);
    }

    #[test]
    fn name_server_failures_and_host_failures_are_counted_separately() {
        let config = Config::default().crawl;
        let mut host = HostBackoff::default();
        let silent: Vec<u64> = (0..15).map(|_| seconds(host.on_unresolved(&config))).collect();
        assert_eq!(silent[..5], [10, 20, 60, 80, 160]);
        assert_eq!(silent[14], 86_400);
        let dead: Vec<u64> = (0..4).map(|_| seconds(host.on_no_response(&config))).collect();
        assert_eq!(dead, [10, 20, 86_400, 86_400]);
    }
}
