//! Rate limits: each client has `burst` requests of credit and gains `per_second` requests a second. The generic cell
//! rate algorithm (ITU-T I.371) needs one timestamp per client for that.
//!
//! Callers pass the time. Memory is bounded by the number of clients. A client that was evicted starts with full
//! credit.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::Client;
use crate::lru::Lru;

/// How many requests of credit a client gains and holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    /// 0 disables the limit.
    pub per_second: u32,
    pub burst: u32,
}

/// The credit of all clients.
pub(crate) struct RateLimiter {
    /// The time in which a client gains credit for one request.
    interval: Duration,
    /// The time in which used-up credit becomes full.
    fill_time: Duration,
    /// When the credit of each client will be full again.
    full_at: Mutex<Lru<Client, Instant>>,
}

impl RateLimiter {
    /// Creates a limiter for at most `clients` clients, or returns `None` if the limit is disabled.
    pub(crate) fn new(rate: RateLimit, clients: usize) -> Option<Self> {
        if rate.per_second == 0 {
            return None;
        }
        let interval = Duration::from_secs(1) / rate.per_second;
        let fill_time = interval.saturating_mul(rate.burst);
        Some(Self { interval, fill_time, full_at: Mutex::new(Lru::new(clients)) })
    }

    /// Charges a request to a client.
    ///
    /// # Errors
    /// The time until the client has credit.
    pub(crate) fn charge(&self, client: &Client, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets();
        let full_at = self.full_after_one(&mut buckets, client, now)?;
        buckets.insert(client.clone(), full_at, 1);
        Ok(())
    }

    /// Takes back a charge.
    pub(crate) fn refund(&self, client: &Client) {
        if let Some(full_at) = self.buckets().get(client)
            && let Some(earlier) = full_at.checked_sub(self.interval)
        {
            *full_at = earlier;
        }
    }

    /// Returns when the credit will be full if a request is charged now.
    fn full_after_one(
        &self,
        buckets: &mut Lru<Client, Instant>,
        client: &Client,
        now: Instant,
    ) -> Result<Instant, Duration> {
        let full_at = buckets.get(client).copied().map_or(now, |full_at| full_at.max(now)) + self.interval;
        let empty_at = now + self.fill_time;
        if full_at > empty_at { Err(full_at - empty_at) } else { Ok(full_at) }
    }

    /// A panic in another thread cannot leave a credit half changed.
    fn buckets(&self) -> std::sync::MutexGuard<'_, Lru<Client, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn limiter(per_second: u32, burst: u32, clients: usize) -> RateLimiter {
        RateLimiter::new(RateLimit { per_second, burst }, clients).unwrap()
    }

    #[test]
    fn accepts_a_burst_and_then_the_rate() {
        let (limiter, user, start) = (limiter(10, 3, 100), Client::User("a".into()), Instant::now());
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        for _ in 0..3 {
            assert_eq!(limiter.charge(&user, start), Ok(()));
        }
        assert_eq!(limiter.charge(&user, start), Err(Duration::from_millis(100)));
        assert_eq!(limiter.charge(&user, after(60)), Err(Duration::from_millis(40)));
        assert_eq!(limiter.charge(&Client::User("b".into()), after(60)), Ok(()), "another client's credit");
        assert_eq!(limiter.charge(&user, after(100)), Ok(()));
        limiter.refund(&user);
        assert_eq!(limiter.charge(&user, after(100)), Ok(()));
        assert!(limiter.charge(&user, after(100)).is_err());
        let later = (0..9).filter(|_| limiter.charge(&user, after(60_000)).is_ok()).count();
        assert_eq!(later, 3, "credit is no more than the burst");
    }

    /// Compares arbitrary request times with a count of the accepted requests.
    #[test]
    fn no_second_accepts_more_than_burst_and_rate() {
        let (limiter, user, start) = (limiter(7, 4, 100), Client::User("a".into()), Instant::now());
        let mut passed: Vec<u64> = Vec::new();
        for step in 0..3_000_u64 {
            let at = step * step % 997 + step * 3;
            let latest = passed.last().copied().unwrap_or(0).max(at);
            if limiter.charge(&user, start + Duration::from_millis(latest)).is_ok() {
                passed.push(latest);
            }
        }
        assert!(passed.len() > 60, "{}", passed.len());
        for (at, first) in passed.iter().enumerate() {
            let within = passed[at..].iter().take_while(|time| **time < first + 1_000).count();
            assert!(within <= 4 + 7, "{within} within a second from {first}");
        }
    }

    #[test]
    fn the_number_of_clients_is_bounded() {
        let (limiter, now) = (limiter(1, 1, 50), Instant::now());
        for number in 0..10_000_u32 {
            let _ = limiter.charge(&Client::at(IpAddr::V4(number.into())), now);
        }
        assert!(limiter.buckets().size().1 <= 50);
    }
}
