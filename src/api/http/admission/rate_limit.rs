//! Rate limits: each client has a token bucket that holds `burst` tokens and gains `per_second` tokens a second. The
//! generic cell rate algorithm (ITU-T I.371) does the same with one timestamp per client.
//!
//! Callers pass the time. Memory is bounded by the number of clients. A client that was evicted starts with a full
//! bucket.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lru::Lru;

/// The unit of fairness: rates and permits are limited for each client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    User(Box<str>),
    Address(IpAddr),
    /// An unauthenticated client at an address that claims to be this user.
    Claimant(IpAddr, Box<str>),
}

impl Client {
    /// Returns the client at an address. All addresses of an IPv6 /64 network are one client, because a host usually
    /// controls all of them.
    pub fn at(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    /// As [`Self::at`], for a client that claims a user name.
    pub fn claiming(address: IpAddr, name: &str) -> Self {
        Self::Claimant(network(address), name.into())
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}

/// How many tokens a bucket gains and holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    /// 0 disables the limit.
    pub per_second: u32,
    pub burst: u32,
}

/// The token buckets of all clients.
pub(crate) struct RateLimiter {
    /// The time in which a bucket gains one token.
    interval: Duration,
    /// The time in which an empty bucket becomes full.
    fill_time: Duration,
    /// When each bucket will be full again.
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

    /// Takes a token.
    ///
    /// # Errors
    /// The time until a token is available.
    pub(crate) fn take_token(&self, client: &Client, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets();
        let full_at = self.full_after_one(&mut buckets, client, now)?;
        buckets.insert(client.clone(), full_at, 1);
        Ok(())
    }

    /// Returns a token that was taken.
    pub(crate) fn return_token(&self, client: &Client) {
        if let Some(full_at) = self.buckets().get(client)
            && let Some(earlier) = full_at.checked_sub(self.interval)
        {
            *full_at = earlier;
        }
    }

    /// Returns when the bucket will be full if a token is taken now.
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

    /// A panic in another thread cannot leave a bucket half changed.
    fn buckets(&self) -> std::sync::MutexGuard<'_, Lru<Client, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32, burst: u32, clients: usize) -> RateLimiter {
        RateLimiter::new(RateLimit { per_second, burst }, clients).unwrap()
    }

    #[test]
    fn accepts_a_burst_and_then_the_rate() {
        let (limiter, user, start) = (limiter(10, 3, 100), Client::User("a".into()), Instant::now());
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        for _ in 0..3 {
            assert_eq!(limiter.take_token(&user, start), Ok(()));
        }
        assert_eq!(limiter.take_token(&user, start), Err(Duration::from_millis(100)));
        assert_eq!(limiter.take_token(&user, after(60)), Err(Duration::from_millis(40)));
        assert_eq!(limiter.take_token(&Client::User("b".into()), after(60)), Ok(()), "another's bucket");
        assert_eq!(limiter.take_token(&user, after(100)), Ok(()));
        limiter.return_token(&user);
        assert_eq!(limiter.take_token(&user, after(100)), Ok(()));
        assert!(limiter.take_token(&user, after(100)).is_err());
        let later = (0..9).filter(|_| limiter.take_token(&user, after(60_000)).is_ok()).count();
        assert_eq!(later, 3, "a bucket holds no more than its burst");
    }

    /// Compares arbitrary request times with a count of the accepted requests.
    #[test]
    fn no_second_accepts_more_than_burst_and_rate() {
        let (limiter, user, start) = (limiter(7, 4, 100), Client::User("a".into()), Instant::now());
        let mut passed: Vec<u64> = Vec::new();
        for step in 0..3_000_u64 {
            let at = step * step % 997 + step * 3;
            let latest = passed.last().copied().unwrap_or(0).max(at);
            if limiter.take_token(&user, start + Duration::from_millis(latest)).is_ok() {
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
            let _ = limiter.take_token(&Client::at(IpAddr::V4(number.into())), now);
        }
        assert!(limiter.buckets().size().1 <= 50);
    }

    #[test]
    fn a_network_of_addresses_is_one_client() {
        let at = |address: &str| Client::at(address.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
