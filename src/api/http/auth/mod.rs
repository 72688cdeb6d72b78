//! HTTP Basic authentication (RFC 7617) against the users in the store, whose passwords are stored as Argon2id hashes
//! (RFC 9106).
//!
//! Verifying a password is slow on purpose. Verified credentials are therefore cached under a keyed hash, so that
//! memory holds no passwords. A user who is changed or removed is no longer in the cache. An unknown user name takes as
//! much time as a wrong password.
//!
//! Passwords that are not cached are verified on worker threads. Half as many are verified at once as there are cores,
//! and addresses take turns ([`FairQueue`](super::admission::FairQueue)). The number of wrong passwords is limited by
//! address and name: a token is taken before a password is verified, and returned if it is right. A stranger who
//! guesses passwords therefore locks out neither users with cached credentials nor users at other addresses.

mod access_check;
mod credentials;
mod login_queue;
mod user_rules;

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, try_generate_salt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(crate) use access_check::AccessCheck;
use credentials::{CredentialCache, Credentials, Fingerprint};
pub(crate) use login_queue::{LoginCounters, LoginQueue};
pub use user_rules::{UserError, check_password, check_password_hash, check_user_name};

use super::admission::{Client, Permit};
use super::connection::RequestHead;
use super::worker_pool::WorkerPool;
use crate::api::{ApiError, ApiState, AuthPolicy};
use crate::store::{Store, StoreError};

/// The password cannot be hashed, or the system provides no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

impl PasswordError {
    pub(in crate::api) fn new(cause: &dyn std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// Returns the Argon2id hash of a password with a new random salt, as a PHC string.
///
/// # Errors
/// [`PasswordError`] for a password that Argon2 rejects, and when the system provides no randomness.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::new(&error))
}

/// The minimum time that a password with a token may wait to be verified.
const MIN_WAIT: Duration = Duration::from_secs(2);

/// Authenticates requests.
pub(crate) struct Authenticator {
    policy: AuthPolicy,
    store: Arc<Store>,
    workers: Arc<WorkerPool>,
    login_queue: LoginQueue,
    counters: LoginCounters,
    /// Keyed with a random key.
    mac: Hmac<Sha256>,
    cache: Mutex<CredentialCache>,
    /// Verified instead of a user's hash for unknown user names.
    decoy_hash: String,
}

impl Authenticator {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub(crate) fn new(
        state: &ApiState,
        login_queue: LoginQueue,
        workers: &Arc<WorkerPool>,
    ) -> Result<Self, PasswordError> {
        let key = try_generate_salt().map_err(|error| PasswordError::new(&error))?;
        Ok(Self {
            policy: state.auth,
            store: Arc::clone(&state.store),
            workers: Arc::clone(workers),
            login_queue,
            counters: LoginCounters::default(),
            mac: Hmac::new_from_slice(&key).map_err(|error| PasswordError::new(&error))?,
            cache: Mutex::new(CredentialCache::new(
                state.config.credential_cache_entries,
                state.config.credential_cache_ttl.0,
            )),
            decoy_hash: hash_password("")?,
        })
    }

    /// Authenticates a request, and returns the identity that its limits apply to. Cached credentials are accepted
    /// without waiting.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`]; [`ApiError::TooManyLogins`] after too many wrong passwords for the user from the
    /// address; [`ApiError::Overloaded`] when too many passwords wait; [`ApiError::Internal`] when the users cannot be
    /// read.
    pub(crate) async fn authenticate(
        self: &Arc<Self>,
        RequestHead { headers, address, exchange, .. }: &RequestHead,
    ) -> Result<Identity, ApiError> {
        let users_number = self.store.users_number();
        if self.policy == AuthPolicy::Open && !self.store.has_users() {
            return Ok(Identity::Address(*address));
        }
        let credentials = Credentials::from_headers(headers).ok_or(ApiError::Unauthorized)?;
        let fingerprint = self.fingerprint(&credentials);
        if let Some(name) = self.cached_user(&fingerprint, users_number)? {
            return Ok(Identity::User(name));
        }
        let name: Arc<str> = credentials.name.as_str().into();
        let claimant = Client::claiming(*address, &name);
        let until = Instant::now() + self.login_queue.wait;
        self.login_queue.take_token(&claimant, exchange, until).await.map_err(|wait| {
            self.counters.limited.fetch_add(1, Ordering::Relaxed);
            ApiError::TooManyLogins(wait)
        })?;
        let return_token =
            || self.login_queue.limiter.iter().for_each(|limiter| limiter.return_token(&claimant));
        // By address only, because user names can be made up at no cost.
        let waiting = self.login_queue.queue.acquire(Client::at(*address));
        let left = until.saturating_duration_since(Instant::now()).max(MIN_WAIT);
        let Ok(Ok(permit)) = tokio::time::timeout(left, waiting).await else {
            return_token();
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(ApiError::Overloaded);
        };
        if let Some(hash) = self.verified_hash(credentials, permit).await? {
            return_token();
            self.counters.right.fetch_add(1, Ordering::Relaxed);
            self.cache().insert(fingerprint, Arc::clone(&name), hash, users_number);
            return Ok(Identity::User(name));
        }
        self.counters.wrong.fetch_add(1, Ordering::Relaxed);
        exchange.count_wrong_login();
        Err(ApiError::Unauthorized)
    }

    pub(crate) fn counters(&self) -> &LoginCounters {
        &self.counters
    }

    /// Returns the hash of the user's password if the user exists and the password is right. The permit is held until
    /// the verification ends, even if the request is cancelled.
    async fn verified_hash(
        self: &Arc<Self>,
        credentials: Credentials,
        permit: Permit<Client>,
    ) -> Result<Option<String>, ApiError> {
        let this = Arc::clone(self);
        let verified_hash = move || {
            let _permit = permit;
            let users = this.store.users()?;
            let hash = users.into_iter().find(|(user, _)| *user == credentials.name).map(|(_, hash)| hash);
            let is_right = verify(&credentials.password, hash.as_ref().unwrap_or(&this.decoy_hash))?;
            Ok(hash.filter(|_| is_right))
        };
        self.workers.run(verified_hash).await
    }

    /// Returns the user whose credentials were verified before, if the user has not changed since.
    fn cached_user(
        &self,
        fingerprint: &Fingerprint,
        users_number: u64,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let mut cache = self.cache();
        let Some(user) = cache.entries.get_mut(fingerprint).filter(|user| Instant::now() < user.expires_at)
        else {
            return Ok(None);
        };
        if user.users_number != users_number {
            let users = self.store.users()?;
            if !users.iter().any(|(name, hash)| **name == *user.name && *hash == user.hash) {
                cache.entries.remove(fingerprint);
                return Ok(None);
            }
            user.users_number = users_number;
        }
        Ok(Some(Arc::clone(&user.name)))
    }

    fn fingerprint(&self, credentials: &Credentials) -> Fingerprint {
        let mut mac = self.mac.clone();
        mac.update(credentials.name.as_bytes());
        // A user name contains no colon.
        mac.update(b":");
        mac.update(credentials.password.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A panic in another thread cannot leave the map half changed.
    fn cache(&self) -> std::sync::MutexGuard<'_, CredentialCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The identity of an accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    User(Arc<str>),
    /// Any client at this address.
    Address(IpAddr),
}

impl Identity {
    /// The client whose limits apply to the request.
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::User(name) => Client::User(name.as_ref().into()),
            Self::Address(address) => Client::at(*address),
        }
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

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, hash_password("correct horse").unwrap());
        assert!(verify("correct horse", &hash).unwrap());
        assert!(!verify("correct horse ", &hash).unwrap());
        assert!(verify("x", "plain").is_err());
    }
}
