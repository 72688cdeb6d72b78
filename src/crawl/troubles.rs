//! How long a host is left alone after something went wrong there: longer each time in a row.
//!
//! What goes wrong in different ways is counted apart: name servers that do not answer for it, a server that does not
//! answer, and one that answers with errors. The first two double `crawl.retry_delay` up to `crawl.dead_host_retry`;
//! a server that did not answer `crawl.max_attempts` times is left alone for that long at once. Errors are the last to
//! be held against a host: a lone one among good answers is its page's, and the pause grows to `robots.retry_after`.

use std::time::Duration;

use crate::config::{Config, CrawlConfig};
use crate::frontier::Pause;

/// A batch waits for a host up to this; a host that rests for longer is left to the next one, which is told until when.
const LONG: Duration = Duration::from_secs(60);

/// What went wrong at one host, each kind so many times in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    unresolved: u32,
    unanswered: u32,
    errors: u32,
}

impl Troubles {
    /// Name servers did not say where the host is. That is seldom for long: a batch waits for it a few times.
    pub fn unresolved(&mut self, config: &CrawlConfig) -> Pause {
        self.unresolved = self.unresolved.saturating_add(1);
        let length = doubled(config.retry_delay.0, self.unresolved).min(config.dead_host_retry.0);
        match self.unresolved >= config.max_attempts {
            true => Pause::Dormant(length.max(LONG)),
            false => Pause::For(length),
        }
    }

    /// How often in a row they did not.
    pub fn times_unresolved(self) -> u32 {
        self.unresolved
    }

    /// They did.
    pub fn resolved(&mut self) {
        self.unresolved = 0;
    }

    /// The host could not be connected to, or did not answer in time.
    pub fn unanswered(&mut self, config: &CrawlConfig) -> Pause {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= config.max_attempts {
            return Pause::Dormant(config.dead_host_retry.0);
        }
        pause(doubled(config.retry_delay.0, self.unanswered).min(config.dead_host_retry.0))
    }

    /// The host answered.
    pub fn answered(&mut self, status: u16, retry_after: Option<Duration>, config: &Config) -> Pause {
        let busy = matches!(status, 429 | 503);
        let is_error = busy || (500..600).contains(&status);
        *self = Self { errors: if is_error { self.errors.saturating_add(1) } else { 0 }, ..Self::default() };
        let times = if busy { self.errors } else { self.errors.saturating_sub(1) };
        let own = doubled(config.crawl.retry_delay.0, times).min(config.robots.retry_after.0);
        let asked = retry_after.filter(|_| busy).map(|length| length.min(config.crawl.dead_host_retry.0));
        pause(asked.unwrap_or(own))
    }

    pub fn is_none(self) -> bool {
        matches!(self, Self { unresolved: 0, unanswered: 0, errors: 0 })
    }
}

/// The pause after so many times, of which the first is `first` long.
fn doubled(first: Duration, times: u32) -> Duration {
    times.checked_sub(1).map_or(Duration::ZERO, |before| first.saturating_mul(1 << before.min(16)))
}

fn pause(length: Duration) -> Pause {
    match length {
        Duration::ZERO => Pause::None,
        length if length > LONG => Pause::Dormant(length),
        length => Pause::For(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pause: Pause) -> u64 {
        match pause {
            Pause::None => 0,
            Pause::For(length) if length <= LONG => length.as_secs(),
            Pause::Dormant(length) => length.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_in_a_row_are_held_against_a_host_and_a_good_answer_ends_them() {
        let config = Config::default();
        let mut troubles = Troubles::default();
        let mut after = |status| seconds(troubles.answered(status, None, &config));
        assert_eq!([500, 200, 502, 200, 404].map(&mut after), [0; 5]);
        assert_eq!([500, 500, 599, 504, 500, 500].map(&mut after), [0, 10, 20, 40, 80, 160]);
        assert_eq!([500, 500, 500, 500].map(&mut after), [320, 600, 600, 600]);
        assert_eq!([304, 429, 503, 200, 503].map(&mut after), [0, 10, 20, 0, 10]);
        // It answers, however badly.
        assert_eq!(seconds(troubles.unanswered(&config.crawl)), 10);
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_up_to_a_day() {
        let config = Config::default();
        let after =
            |status, wait| Troubles::default().answered(status, Some(Duration::from_secs(wait)), &config);
        assert_eq!(after(503, 60), Pause::For(LONG));
        assert_eq!(after(429, 61), Pause::Dormant(Duration::from_secs(61)));
        assert_eq!(after(429, 1_000_000), Pause::Dormant(config.crawl.dead_host_retry.0));
        assert_eq!([after(200, 61), after(503, 0)], [Pause::None; 2]);
    }

    #[test]
    fn silence_of_name_servers_is_told_from_silence_of_the_host() {
        let config = Config::default().crawl;
        let mut troubles = Troubles::default();
        let silent: Vec<u64> = (0..15).map(|_| seconds(troubles.unresolved(&config))).collect();
        assert_eq!(silent[..5], [10, 20, 60, 80, 160]);
        assert_eq!(silent[14], 86_400);
        let dead: Vec<u64> = (0..4).map(|_| seconds(troubles.unanswered(&config))).collect();
        assert_eq!(dead, [10, 20, 86_400, 86_400]);
    }
}
