//! Who asks: HTTP Basic authentication (RFC 7617) against the store's users, whose passwords are kept as Argon2id
//! hashes (RFC 9106).
//!
//! Verifying a password is made slow on purpose, so credentials that were right are remembered for a short time,
//! under a keyed hash of name, password and the user's stored hash: memory holds no password, and a user who is
//! changed or removed is forgotten at once. A name nobody has costs as much time as a wrong password does. Passwords
//! are verified off the async threads, as many at once as there are cores.

use std::collections::HashMap;
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

use super::{ApiError, ApiState, AuthPolicy};
use crate::store::Store;

/// A password that cannot be hashed, or no randomness to do so.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

/// The Argon2id hash of a password, with a new random salt, as a PHC string.
///
/// # Errors
/// [`PasswordError`] for a password that Argon2 does not take, and when the system has no randomness to give.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError(error.to_string()))
}

/// Checks the credentials of requests.
pub struct Authenticator {
    policy: AuthPolicy,
    store: Arc<Store>,
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
    key: [u8; 16],
    until: HashMap<Fingerprint, Instant>,
    most: usize,
    lifetime: Duration,
}

impl Authenticator {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub fn new(state: &ApiState) -> Result<Self, PasswordError> {
        let decoy = match state.auth {
            AuthPolicy::Users => hash_password("")?,
            AuthPolicy::Open => String::new(),
        };
        Ok(Self {
            policy: state.auth,
            store: Arc::clone(&state.store),
            known: Mutex::new(Known {
                key: try_generate_salt().map_err(|error| PasswordError(error.to_string()))?,
                until: HashMap::new(),
                most: state.config.credential_cache_entries,
                lifetime: state.config.credential_cache_ttl.0,
            }),
            decoy,
            verifying: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
        })
    }

    /// Lets a request pass or refuses it.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`]; [`ApiError::Internal`] when users cannot be read.
    pub async fn check(self: &Arc<Self>, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.policy == AuthPolicy::Open {
            return Ok(());
        }
        let credentials = Credentials::from_headers(headers).ok_or(ApiError::Unauthorized)?;
        let this = Arc::clone(self);
        let (credentials, hash) = off_thread(move || {
            let hash = this.hash_of(&credentials.name)?;
            Ok((credentials, hash))
        })
        .await?;
        let fingerprint = hash.as_deref().map(|hash| self.fingerprint(&credentials, hash)).transpose()?;
        if fingerprint.is_some_and(|fingerprint| self.known().is_fresh(&fingerprint)) {
            return Ok(());
        }
        let _turn = self.verifying.acquire().await.map_err(|error| ApiError::Internal(error.to_string()))?;
        let presumed = hash.unwrap_or_else(|| self.decoy.clone());
        let right = off_thread(move || verify(&credentials.password, &presumed)).await?;
        match fingerprint {
            Some(fingerprint) if right => {
                self.known().remember(fingerprint);
                Ok(())
            }
            _ => Err(ApiError::Unauthorized),
        }
    }

    fn hash_of(&self, name: &str) -> Result<Option<String>, ApiError> {
        let users = self.store.users()?;
        Ok(users.into_iter().find(|(user, _)| user == name).map(|(_, hash)| hash))
    }

    fn fingerprint(&self, credentials: &Credentials, hash: &str) -> Result<Fingerprint, ApiError> {
        let key = self.known().key;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key).map_err(|error| ApiError::Internal(error.to_string()))?;
        for part in [&credentials.name, &credentials.password, hash] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// A panic elsewhere cannot leave the map half changed.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_fresh(&self, fingerprint: &Fingerprint) -> bool {
        self.until.get(fingerprint).is_some_and(|until| Instant::now() < *until)
    }

    fn remember(&mut self, fingerprint: Fingerprint) {
        let now = Instant::now();
        if self.until.len() >= self.most {
            self.until.retain(|_, until| now < *until);
        }
        if self.until.len() < self.most
            && let Some(until) = now.checked_add(self.lifetime)
        {
            self.until.insert(fingerprint, until);
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
        let known = |most, lifetime| Known { key: [0; 16], until: HashMap::new(), most, lifetime };
        let mut two = known(2, Duration::from_secs(60));
        for number in 0..3 {
            two.remember([number; 32]);
        }
        assert_eq!((0..3).filter(|&number| two.is_fresh(&[number; 32])).count(), 2);
        let mut brief = known(2, Duration::from_millis(5));
        brief.remember([0; 32]);
        std::thread::sleep(Duration::from_millis(6));
        assert!(!brief.is_fresh(&[0; 32]));
        for number in 1..4 {
            brief.remember([number; 32]);
            std::thread::sleep(Duration::from_millis(6));
        }
        assert!(brief.until.len() <= 2);
    }
}
