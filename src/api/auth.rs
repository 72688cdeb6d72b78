//! Who asks: HTTP Basic authentication (RFC 7617) against the store's users, whose passwords are kept as Argon2id
//! hashes (RFC 9106).
//!
//! Verifying a password is made slow on purpose, so credentials that were right are remembered, under a keyed hash of
//! them: memory holds no password, and a user who is changed or removed is not remembered any more. A name nobody has costs
//! as much time as a wrong password does.
//!
//! Passwords that are not remembered are verified on the workers' threads, half as many at once as there are cores, each
//! address in its turn ([`FairQueue`]). How many may be wrong is limited by address and name: a token is taken
//! before a password is verified, and given back when it is right. So a stranger who guesses keeps nobody out who was let
//! in before, and nobody at another address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, try_generate_salt};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::Sha256;

use super::admission::{Client, FairQueue, Limiter, Place, QueueLimits, Rate};
use super::connection::{Exchange, Head};
use super::workers::Workers;
use super::{ApiError, ApiState, AuthPolicy};
use crate::config::ApiConfig;
use crate::store::{Store, StoreError};
use crate::threads;

/// A password that cannot be hashed, or no randomness to do so.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

impl PasswordError {
    pub(super) fn new(cause: &dyn std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// The Argon2id hash of a password, with a new random salt, as a PHC string.
///
/// # Errors
/// [`PasswordError`] for a password that Argon2 does not take, and when the system has no randomness to give.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::new(&error))
}

/// Checks the credentials of requests.
pub struct Authenticator {
    policy: AuthPolicy,
    store: Arc<Store>,
    workers: Arc<Workers>,
    logins: LoginQueue,
    counts: LoginCounts,
    /// Of a random key.
    mac: Hmac<Sha256>,
    known: Mutex<Known>,
    /// Verified for names that nobody has.
    decoy: String,
}

/// Whose password may be verified, and when.
pub struct LoginQueue {
    /// `None`: as many may be wrong as come.
    limiter: Option<Limiter>,
    wait: Duration,
    places: usize,
    queue: FairQueue<Client>,
}

/// What came of the passwords that were not remembered.
#[derive(Default)]
pub struct LoginCounts {
    pub right: AtomicU64,
    pub wrong: AtomicU64,
    /// By `api.login_limit_per_second`.
    pub limited: AtomicU64,
    /// Because the queue was full, or too slow.
    pub refused: AtomicU64,
}

/// How long a password that has its token waits for its turn at least.
const LEAST_WAIT: Duration = Duration::from_secs(2);
/// Those that wait for a token look for it at random, within this time after there is one: nobody can come first by
/// asking more often. After a wrong guess on the same connection it is so many times as long.
const DRAW: Duration = Duration::from_millis(20);
const AFTER_A_GUESS: u32 = 50;

impl LoginQueue {
    pub fn new(config: &ApiConfig) -> Self {
        let own = Rate { per_second: config.login_limit_per_second, burst: config.login_limit_burst };
        // Whoever may ask seldom may not guess more often.
        let rate = match (config.rate_limit_per_second, own.per_second) {
            (0, _) => own,
            (most, 0) => Rate { per_second: most, burst: config.rate_limit_burst },
            (most, per_second) => {
                Rate { per_second: most.min(per_second), burst: config.rate_limit_burst.min(own.burst) }
            }
        };
        let places = (threads::cores() / 2).max(1);
        let queue = FairQueue::new(QueueLimits {
            places,
            places_per_client: places,
            max_waiting: config.max_waiting_logins,
            overload_after: Duration::MAX,
        });
        let limiter = Limiter::new(rate, config.rate_limit_clients);
        Self { limiter, wait: config.login_wait.0, places, queue }
    }

    /// Takes a token, waiting for one until a time.
    ///
    /// # Errors
    /// When there will be one.
    async fn take(&self, claimant: &Client, exchange: &Exchange, until: Instant) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let spread = if exchange.wrong_logins() > 0 { DRAW * AFTER_A_GUESS } else { DRAW };
        loop {
            let now = Instant::now();
            let Err(wait) = limiter.take(claimant, now) else {
                exchange.note_suspect(false);
                return Ok(());
            };
            exchange.note_suspect(true);
            if now + wait > until {
                return Err(wait);
            }
            // Without randomness they come in any order.
            let drawn = getrandom::u32().unwrap_or(0);
            tokio::time::sleep(wait + spread.mul_f64(f64::from(drawn) / f64::from(u32::MAX))).await;
        }
    }

    /// Passwords verified at once.
    pub fn places(&self) -> usize {
        self.places
    }
}

/// Name and password of a request.
struct Credentials {
    name: String,
    password: String,
}

type Fingerprint = [u8; 32];

/// Credentials that were right a short time ago.
struct Known {
    users: HashMap<Fingerprint, KnownUser>,
    most: usize,
    lifetime: Duration,
}

#[derive(Clone)]
struct KnownUser {
    name: Arc<str>,
    hash: String,
    until: Instant,
    /// [`Store::users_number`] before the hash was last seen to be the user's.
    users_number: u64,
}

impl Authenticator {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub fn new(state: &ApiState, logins: LoginQueue, workers: &Arc<Workers>) -> Result<Self, PasswordError> {
        let key = try_generate_salt().map_err(|error| PasswordError::new(&error))?;
        Ok(Self {
            policy: state.auth,
            store: Arc::clone(&state.store),
            workers: Arc::clone(workers),
            logins,
            counts: LoginCounts::default(),
            mac: Hmac::new_from_slice(&key).map_err(|error| PasswordError::new(&error))?,
            known: Mutex::new(Known {
                users: HashMap::new(),
                most: state.config.credential_cache_entries,
                lifetime: state.config.credential_cache_ttl.0,
            }),
            decoy: hash_password("")?,
        })
    }

    /// Lets a request pass or refuses it. Whoever passes may be limited as the client returned. Credentials that are
    /// remembered cost no waiting.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`]; [`ApiError::TooManyLogins`] when the same address got the user's password wrong too
    /// often; [`ApiError::Overloaded`] when too many passwords wait; [`ApiError::Internal`] when users cannot be read.
    pub async fn check(
        self: &Arc<Self>,
        Head { headers, address, exchange, .. }: &Head,
    ) -> Result<Visitor, ApiError> {
        let users_number = self.store.users_number();
        if self.policy == AuthPolicy::Open && !self.store.has_users() {
            return Ok(Visitor::At(*address));
        }
        let credentials = Credentials::from_headers(headers).ok_or(ApiError::Unauthorized)?;
        let fingerprint = self.fingerprint(&credentials);
        if let Some(name) = self.remembered(&fingerprint, users_number)? {
            return Ok(Visitor::User(name));
        }
        let name: Arc<str> = credentials.name.as_str().into();
        let claimant = Client::claiming(*address, &name);
        let until = Instant::now() + self.logins.wait;
        self.logins.take(&claimant, exchange, until).await.map_err(|wait| {
            self.counts.limited.fetch_add(1, Ordering::Relaxed);
            ApiError::TooManyLogins(wait)
        })?;
        let give_back = || self.logins.limiter.iter().for_each(|limiter| limiter.give_back(&claimant));
        // By address alone: names cost nothing to make up.
        let waiting = self.logins.queue.acquire(Client::at(*address));
        let left = until.saturating_duration_since(Instant::now()).max(LEAST_WAIT);
        let Ok(Ok(place)) = tokio::time::timeout(left, waiting).await else {
            give_back();
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return Err(ApiError::Overloaded);
        };
        if let Some(hash) = self.right_hash(credentials, place).await? {
            give_back();
            self.counts.right.fetch_add(1, Ordering::Relaxed);
            self.known().remember(fingerprint, Arc::clone(&name), hash, users_number);
            return Ok(Visitor::User(name));
        }
        self.counts.wrong.fetch_add(1, Ordering::Relaxed);
        exchange.note_wrong_login();
        Err(ApiError::Unauthorized)
    }

    pub fn counts(&self) -> &LoginCounts {
        &self.counts
    }

    /// The hash of the user's password, if there is such a user with this password. The place is kept until that is found
    /// out, whether somebody waits for it or not.
    async fn right_hash(
        self: &Arc<Self>,
        credentials: Credentials,
        place: Place<Client>,
    ) -> Result<Option<String>, ApiError> {
        let this = Arc::clone(self);
        let right_hash = move || {
            let _place = place;
            let users = this.store.users()?;
            let hash = users.into_iter().find(|(user, _)| *user == credentials.name).map(|(_, hash)| hash);
            let is_right = verify(&credentials.password, hash.as_ref().unwrap_or(&this.decoy))?;
            Ok(hash.filter(|_| is_right))
        };
        self.workers.run(right_hash).await
    }

    /// The user whose credentials these are, if they were right before, and the user has not been changed since.
    fn remembered(
        &self,
        fingerprint: &Fingerprint,
        users_number: u64,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let mut known = self.known();
        let Some(user) = known.users.get_mut(fingerprint).filter(|user| Instant::now() < user.until) else {
            return Ok(None);
        };
        if user.users_number != users_number {
            let users = self.store.users()?;
            if !users.iter().any(|(name, hash)| **name == *user.name && *hash == user.hash) {
                known.users.remove(fingerprint);
                return Ok(None);
            }
            user.users_number = users_number;
        }
        Ok(Some(Arc::clone(&user.name)))
    }

    fn fingerprint(&self, credentials: &Credentials) -> Fingerprint {
        let mut mac = self.mac.clone();
        mac.update(credentials.name.as_bytes());
        // A name has no colon.
        mac.update(b":");
        mac.update(credentials.password.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A panic elsewhere cannot leave the map half changed.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visitor {
    User(Arc<str>),
    /// Anybody, from this address.
    At(IpAddr),
}

/// Whether a client may go on reading a long answer: a user who is removed meanwhile may not, and nobody without
/// credentials once there are users.
pub struct Membership {
    store: Arc<Store>,
    client: Client,
    /// [`Store::users_number`] when it was looked at last.
    users_number: u64,
}

impl Membership {
    /// That of a client who was let in just now.
    pub fn of(client: &Client, store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), client: client.clone(), users_number: store.users_number() }
    }

    /// # Errors
    /// When users cannot be read.
    pub fn holds(&mut self) -> Result<bool, StoreError> {
        let users_number = self.store.users_number();
        if users_number == self.users_number {
            return Ok(true);
        }
        let holds = match &self.client {
            Client::User(name) => self.store.users()?.iter().any(|(user, _)| **user == **name),
            _ => !self.store.has_users(),
        };
        self.users_number = users_number;
        Ok(holds)
    }
}

impl Visitor {
    /// Whose bucket a request is taken from.
    pub fn client(&self) -> Client {
        match self {
            Self::User(name) => Client::User(name.as_ref().into()),
            Self::At(address) => Client::at(*address),
        }
    }
}

impl Known {
    fn remember(&mut self, fingerprint: Fingerprint, name: Arc<str>, hash: String, users_number: u64) {
        let now = Instant::now();
        if self.users.len() >= self.most {
            self.users.retain(|_, user| now < user.until);
        }
        if self.users.len() < self.most
            && let Some(until) = now.checked_add(self.lifetime)
        {
            self.users.insert(fingerprint, KnownUser { name, hash, until, users_number });
        }
    }
}

impl Credentials {
    /// Reads an `Authorization` header. Padding may be missing, as some clients leave it out.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = GeneralPurpose::new(&STANDARD, padding).decode(encoded.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }
}

/// Compares in constant time.
fn verify(password: &str, hash: &str) -> Result<bool, ApiError> {
    let hash = PasswordHash::new(hash)
        .map_err(|error| ApiError::Internal(format!("a user's password hash cannot be read: {error}")))?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        Credentials::from_headers(&headers).map(|c| (c.name, c.password))
    }

    #[test]
    fn basic_credentials_are_read() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(read("Basic dXNlcjpwYXNzd29yZA=="), pair("user", "password"));
        assert_eq!(read("bASIC dXNlcjpwYXNzd29yZA"), pair("user", "password"));
        assert_eq!(read("Basic dTphOmI="), pair("u", "a:b"));
        assert_eq!(read("Basic Og=="), pair("", ""));
        for wrong in ["", "Basic", "Basic !", "Basic dXNlcg==", "Bearer dXNlcjpwYXNzd29yZA==", "Basic /zo="] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_hash_holds_its_password_and_no_other() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, hash_password("correct horse").unwrap());
        assert!(verify("correct horse", &hash).unwrap());
        assert!(!verify("correct horse ", &hash).unwrap());
        assert!(verify("x", "plain").is_err());
    }

    #[test]
    fn few_credentials_are_remembered_and_not_for_long() {
        let known = |most, lifetime| Known { users: HashMap::new(), most, lifetime };
        let remember =
            |known: &mut Known, number: u8| known.remember([number; 32], "user".into(), "hash".into(), 7);
        let mut two = known(2, Duration::from_secs(60));
        for number in 0..3 {
            remember(&mut two, number);
        }
        assert_eq!(two.users.len(), 2);
        let mut brief = known(2, Duration::from_millis(5));
        for number in 0..4 {
            remember(&mut brief, number);
            std::thread::sleep(Duration::from_millis(6));
        }
        assert!(brief.users.contains_key(&[3; 32]), "those that were too old made room");
    }
}
