//! The queue and the rate limit of passwords that wait to be verified.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::api::http::admission::{Client, FairQueue, QueueLimits, RateLimit, RateLimiter};
use crate::api::http::connection::Exchange;
use crate::config::ApiConfig;
use crate::threads;

/// Decides which password is verified when.
pub(crate) struct LoginQueue {
    /// `None` if the number of wrong passwords is not limited.
    pub limiter: Option<RateLimiter>,
    pub wait: Duration,
    permits: usize,
    pub queue: FairQueue<Client>,
}

/// Outcomes of logins whose credentials were not cached.
#[derive(Default)]
pub(crate) struct LoginCounters {
    pub right: AtomicU64,
    pub wrong: AtomicU64,
    /// Refused by `api.login_limit_per_second`.
    pub limited: AtomicU64,
    /// Refused because the queue was full or too slow.
    pub refused: AtomicU64,
}

impl LoginCounters {
    /// Returns each outcome with its number of logins.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 4] {
        let Self { right, wrong, limited, refused } = self;
        [("right", right), ("wrong", wrong), ("limited", limited), ("refused", refused)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }
}

/// Passwords beyond the limit are tried again at a random time within this interval, so that no client gains by retrying
/// more often. After a wrong password on the same connection the interval is [`GUESS_JITTER_FACTOR`] times as long.
const RETRY_JITTER: Duration = Duration::from_millis(20);
const GUESS_JITTER_FACTOR: u32 = 50;

impl LoginQueue {
    pub(crate) fn new(config: &ApiConfig) -> Self {
        let login = RateLimit { per_second: config.login_limit_per_second, burst: config.login_limit_burst };
        // Passwords must not be tried more often than the request rate allows.
        let rate = match (config.rate_limit_per_second, login.per_second) {
            (0, _) => login,
            (global, 0) => RateLimit { per_second: global, burst: config.rate_limit_burst },
            (global, per_second) => RateLimit {
                per_second: global.min(per_second),
                burst: config.rate_limit_burst.min(login.burst),
            },
        };
        let permits = (threads::cores() / 2).max(1);
        let queue = FairQueue::new(QueueLimits {
            permits,
            permits_per_client: permits,
            max_waiting: config.max_waiting_logins,
            overload_after: Duration::MAX,
        });
        let limiter = RateLimiter::new(rate, config.rate_limit_clients);
        Self { limiter, wait: config.login_wait.0, permits, queue }
    }

    /// Charges a password to its claimant, and waits for credit until `deadline` if necessary.
    ///
    /// # Errors
    /// The time until the claimant will have credit, if that is after `deadline`.
    pub(crate) async fn charge(
        &self,
        claimant: &Client,
        exchange: &Exchange,
        deadline: Instant,
    ) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let spread =
            if exchange.wrong_logins() > 0 { RETRY_JITTER * GUESS_JITTER_FACTOR } else { RETRY_JITTER };
        loop {
            let now = Instant::now();
            let Err(wait) = limiter.charge(claimant, now) else {
                exchange.set_login_delayed(false);
                return Ok(());
            };
            exchange.set_login_delayed(true);
            if now + wait > deadline {
                return Err(wait);
            }
            // Without randomness the order is arbitrary.
            let drawn = getrandom::u32().unwrap_or(0);
            tokio::time::sleep(wait + spread.mul_f64(f64::from(drawn) / f64::from(u32::MAX))).await;
        }
    }

    /// The number of passwords that are verified at once.
    pub(crate) fn permits(&self) -> usize {
        self.permits
    }
}
