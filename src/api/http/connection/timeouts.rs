//! The timeouts of connections, and the clock that they are measured with.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::config::ApiConfig;

/// The timeouts of the parts of a connection's life.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionTimeouts {
    pub head: Duration,
    pub idle: Duration,
    pub write: Duration,
    pub request: Duration,
}

impl ConnectionTimeouts {
    pub fn new(config: &ApiConfig) -> Self {
        Self {
            head: config.head_timeout.0,
            idle: config.idle_timeout.0,
            write: config.write_timeout.0,
            request: config.request_timeout.0,
        }
    }

    /// How often timeouts are checked: at a quarter of the shortest one, from 10 ms to a second.
    pub fn check_interval(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.write).min(self.request);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

pub(super) const NEVER: u64 = u64::MAX;

/// Milliseconds of the kernel's coarse clock. It is read several times per request, is exact to a tick (1 to 10 ms),
/// and costs a fraction of [`std::time::Instant`].
pub(super) fn now() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let time = Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(0)
}

/// Whether `since` lies at least `duration` in the past.
pub(super) fn is_past(since: u64, now: u64, duration: Duration) -> bool {
    since <= now && u128::from(now - since) >= duration.as_millis()
}
