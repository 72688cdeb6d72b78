//! Who asks: HTTP Basic authentication (RFC 7617) against the store's users, whose passwords are kept as Argon2id
//! hashes (RFC 9106).
//!
//! Verifying a password is made slow on purpose, so credentials that were right are remembered for a short time,
//! under a keyed hash of the header that they came in: memory holds no password, and once any user is changed or
//! removed, nobody is remembered. A name nobody has costs as much time as a wrong password does. Passwords are
//! verified off the async threads, as many at once as there are cores; where requests are limited, so are the
//! passwords that somebody may get wrong.

use std::collections::HashMap;
use std::net::IpAddr;
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
use tokio::sync::Semaphore;

use super::rate::{Client, Limiter};
use super::{ApiError, ApiState, AuthPolicy};
use crate::store::Store;

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
    limiter: Option<Arc<Limiter>>,
    /// Of a random key.
    mac: Hmac<Sha256>,
    known: Mutex<Known>,
    /// Verified for names that nobody has.
    decoy: String,
    verifying: Semaphore,
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
    until: Instant,
    /// [`Store::users_number`] before the password was verified.
    users_number: u64,
}

impl Authenticator {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub fn new(state: &ApiState, limiter: Option<Arc<Limiter>>) -> Result<Self, PasswordError> {
        let decoy = match state.auth {
            AuthPolicy::Users => hash_password("")?,
            AuthPolicy::Open => String::new(),
        };
        let key = try_generate_salt().map_err(|error| PasswordError::new(&error))?;
        Ok(Self {
            policy: state.auth,
            store: Arc::clone(&state.store),
            limiter,
            mac: Hmac::new_from_slice(&key).map_err(|error| PasswordError::new(&error))?,
            known: Mutex::new(Known {
                users: HashMap::new(),
                most: state.config.credential_cache_entries,
                lifetime: state.config.credential_cache_ttl.0,
            }),
            decoy,
            verifying: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
        })
    }

    /// Lets a request pass or refuses it. Whoever passes may be limited as the client returned. Credentials that are
    /// remembered cost no waiting.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`]; [`ApiError::TooMany`] when the same address got the user's password wrong too
    /// often; [`ApiError::Internal`] when users cannot be read.
    pub async fn check(self: &Arc<Self>, headers: &HeaderMap, address: IpAddr) -> Result<Visitor, ApiError> {
        if self.policy == AuthPolicy::Open {
            return Ok(Visitor::At(address));
        }
        let Some(header) = headers.get(AUTHORIZATION) else { return Err(ApiError::Unauthorized) };
        let fingerprint = self.fingerprint(header.as_bytes());
        let users_number = self.store.users_number();
        if let Some(name) = self.known().get(&fingerprint, users_number) {
            return Ok(Visitor::User(name));
        }
        let credentials = Credentials::from_headers(headers).ok_or(ApiError::Unauthorized)?;
        let name: Arc<str> = credentials.name.as_str().into();
        let claimant = Client::claiming(address, &name);
        if let Some(limiter) = &self.limiter {
            limiter.look(&claimant, Instant::now()).map_err(ApiError::TooMany)?;
        }
        if self.is_right(credentials).await? {
            self.known().remember(fingerprint, Arc::clone(&name), users_number);
            return Ok(Visitor::User(name));
        }
        if let Some(limiter) = &self.limiter {
            limiter.take(&claimant, Instant::now()).map_err(ApiError::TooMany)?;
        }
        Err(ApiError::Unauthorized)
    }

    /// Whether there is such a user with this password.
    async fn is_right(self: &Arc<Self>, credentials: Credentials) -> Result<bool, ApiError> {
        let _turn = self.verifying.acquire().await.map_err(|error| ApiError::Internal(error.to_string()))?;
        let this = Arc::clone(self);
        off_thread(move || {
            let users = this.store.users()?;
            let hash =
                users.iter().find(|(user, _)| *user == credentials.name).map(|(_, hash)| hash.as_str());
            Ok(verify(&credentials.password, hash.unwrap_or(&this.decoy))? && hash.is_some())
        })
        .await
    }

    fn fingerprint(&self, header: &[u8]) -> Fingerprint {
        let mut mac = self.mac.clone();
        mac.update(header);
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
    fn get(&self, fingerprint: &Fingerprint, users_number: u64) -> Option<Arc<str>> {
        let user = self.users.get(fingerprint)?;
        let fresh = user.users_number == users_number && Instant::now() < user.until;
        fresh.then(|| Arc::clone(&user.name))
    }

    fn remember(&mut self, fingerprint: Fingerprint, name: Arc<str>, users_number: u64) {
        let now = Instant::now();
        if self.users.len() >= self.most {
            self.users.retain(|_, user| user.users_number == users_number && now < user.until);
        }
        if self.users.len() < self.most
            && let Some(until) = now.checked_add(self.lifetime)
        {
            self.users.insert(fingerprint, KnownUser { name, until, users_number });
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

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))?
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
        let remember = |known: &mut Known, number: u8| known.remember([number; 32], "user".into(), 7);
        let mut two = known(2, Duration::from_secs(60));
        for number in 0..3 {
            remember(&mut two, number);
        }
        assert_eq!((0..3).filter(|&number| two.get(&[number; 32], 7).is_some()).count(), 2);
        assert_eq!((0..3).filter(|&number| two.get(&[number; 32], 8).is_some()).count(), 0);
        let mut brief = known(2, Duration::from_millis(5));
        remember(&mut brief, 0);
        std::thread::sleep(Duration::from_millis(6));
        assert!(brief.get(&[0; 32], 7).is_none());
        for number in 1..4 {
            remember(&mut brief, number);
            std::thread::sleep(Duration::from_millis(6));
        }
        assert!(brief.users.len() <= 2);
    }
}
