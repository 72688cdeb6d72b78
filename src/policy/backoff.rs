//! How long a host stays in backoff.

use std::time::Duration;

use crate::config::{CrawlConfig, RobotsConfig};
use crate::model::HostRecord;

/// The longest backoff that is stored. A host without a reachable robots.txt is in backoff until the next attempt for
/// that file.
pub fn max_stored_backoff(crawl: &CrawlConfig, robots: &RobotsConfig) -> Duration {
    crawl.dead_host_retry.0.max(robots.retry_after.0).max(robots.max_age.0)
}

/// The Unix time until which a host is in backoff; `None` when it is not at `now`. A time further away than
/// the longest backoff was stored under another clock or configuration, and is ignored.
pub fn backoff_end(longest: Duration, host: &HostRecord, now: u64) -> Option<u64> {
    let longest = longest.as_secs();
    (now < host.backoff_until && host.backoff_until - now <= longest).then_some(host.backoff_until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backoff_longer_than_the_longest_is_ignored() {
        let longest = max_stored_backoff(&CrawlConfig::default(), &RobotsConfig::default());
        let end =
            |backoff_until| backoff_end(longest, &HostRecord { backoff_until, ..HostRecord::default() }, 500);
        let longest = longest.as_secs();
        assert_eq!([end(0), end(500), end(501)], [None, None, Some(501)]);
        assert_eq!([end(500 + longest), end(501 + longest)], [Some(500 + longest), None]);
    }
}
