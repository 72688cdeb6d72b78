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

use hashbrown::HashMap;

use crate::config::{CrawlConfig, RobotsConfig};
use crate::crawl::timing::LONGEST_BATCH_WAIT;
use crate::frontier::Backoff;
use crate::model::{FailureKind, QueueName};

/// The recent failures of hosts, by queue.
pub(in crate::crawl) struct HostBackoffs {
    hosts: HashMap<QueueName, HostBackoff>,
    crawl: CrawlConfig,
    robots: RobotsConfig,
    /// Whether the crawl waits for long backoffs, instead of ending.
    forever: bool,
}

impl HostBackoffs {
    pub(crate) fn new(crawl: &CrawlConfig, robots: &RobotsConfig, forever: bool) -> Self {
        let (crawl, robots) = (crawl.clone(), robots.clone());
        Self { hosts: HashMap::default(), crawl, robots, forever }
    }

    /// The backoff of a host that is given up.
    pub(crate) fn dead_host_backoff(&self) -> Duration {
        self.crawl.dead_host_retry.0
    }

    /// The delay between two requests to a host with this crawl delay.
    pub(crate) fn request_delay(&self, crawl_delay: Option<Duration>) -> Duration {
        crawl_delay.unwrap_or_default().min(self.crawl.max_crawl_delay.0).max(self.crawl.delay.0)
    }

    /// Name servers gave no address for the host.
    pub(crate) fn on_unresolved(&mut self, queue: &QueueName) -> Backoff {
        match self.hosts.entry(queue.clone()).or_default().on_unresolved(&self.crawl) {
            // A batch crawl does not wait for it, and the next one asks at once.
            Backoff::Parked(_) if !self.forever => Backoff::Parked(self.dead_host_backoff()),
            backoff => backoff,
        }
    }

    /// The host was resolved.
    pub(crate) fn on_resolved(&mut self, queue: &QueueName) {
        if let Some(host) = self.hosts.get_mut(queue) {
            host.unresolved = 0;
        }
    }

    /// Resolutions of the host in a row that failed, the last one included: 1 at least.
    pub(crate) fn failed_resolutions(&self, queue: &QueueName) -> u32 {
        self.hosts.get(queue).map_or(1, |host| host.unresolved.max(1))
    }

    /// The host responded.
    pub(crate) fn on_response(
        &mut self,
        queue: &QueueName,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Backoff {
        let mut host = self.hosts.remove(queue).unwrap_or_default();
        let backoff = host.on_response(status, retry_after, &self.crawl, &self.robots);
        if !host.is_clear() {
            self.hosts.insert(queue.clone(), host);
        }
        backoff
    }

    /// A fetch of a page had no usable response.
    pub(crate) fn on_failure(&mut self, queue: &QueueName, kind: FailureKind) -> Backoff {
        match kind {
            // The page is at fault, not the host.
            FailureKind::Protocol | FailureKind::Decode | FailureKind::Challenge => Backoff::None,
            FailureKind::Dns | FailureKind::AddressRefused => Backoff::Parked(self.crawl.dead_host_retry.0),
            FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => {
                self.hosts.entry(queue.clone()).or_default().on_no_response(&self.crawl)
            }
        }
    }

    /// Forgets the failures of hosts whose queues are not kept.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&QueueName) -> bool) {
        self.hosts.retain(|queue, _| is_kept(queue));
    }
}

/// The failures of one host in a row, by kind.
#[derive(Clone, Copy, Debug, Default)]
struct HostBackoff {
    unresolved: u32,
    unanswered: u32,
    errors: u32,
}

impl HostBackoff {
    /// Name servers gave no address. That is usually short, so a batch crawl waits for it a few times.
    fn on_unresolved(&mut self, config: &CrawlConfig) -> Backoff {
        self.unresolved = self.unresolved.saturating_add(1);
        let length = doubled(config.retry_delay.0, self.unresolved).min(config.dead_host_retry.0);
        match self.unresolved >= config.max_attempts {
            true => Backoff::Parked(length.max(LONGEST_BATCH_WAIT)),
            false => Backoff::For(length),
        }
    }

    /// The host refused the connection, or did not respond in time.
    fn on_no_response(&mut self, config: &CrawlConfig) -> Backoff {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= config.max_attempts {
            return Backoff::Parked(config.dead_host_retry.0);
        }
        backoff_of(doubled(config.retry_delay.0, self.unanswered).min(config.dead_host_retry.0))
    }

    /// The host responded.
    fn on_response(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        crawl: &CrawlConfig,
        robots: &RobotsConfig,
    ) -> Backoff {
        let busy = matches!(status, 429 | 503);
        let is_error = busy || (500..600).contains(&status);
        *self = Self { errors: if is_error { self.errors.saturating_add(1) } else { 0 }, ..Self::default() };
        let times = if busy { self.errors } else { self.errors.saturating_sub(1) };
        let own = doubled(crawl.retry_delay.0, times).min(robots.retry_after.0);
        let asked = retry_after.filter(|_| busy).map(|length| length.min(crawl.dead_host_retry.0));
        backoff_of(asked.unwrap_or(own))
    }

    fn is_clear(self) -> bool {
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
    use crate::config::Config;

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
        let mut after = |status| seconds(host.on_response(status, None, &config.crawl, &config.robots));
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
            let wait = Some(Duration::from_secs(wait));
            HostBackoff::default().on_response(status, wait, &config.crawl, &config.robots)
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
