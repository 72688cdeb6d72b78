//! Authentication by HTTP Basic (RFC 7617), by access tokens ([`access_token`]), or by the cookie of a session
//! ([`session`]). The cookie counts only without an `Authorization` header. The store has the passwords of the users as
//! Argon2id hashes (RFC 9106).
//!
//! Verifying a password is slow on purpose. Verified credentials are therefore cached under a keyed hash, so that
//! memory holds no passwords. A user who is changed or removed is no longer in the cache. An unknown user name takes as
//! much time as a wrong password.
//!
//! Passwords that are not cached are verified on worker threads. Half as many are verified at once as there are cores,
//! and addresses take turns ([`FairQueue`](super::admission::FairQueue)). The number of wrong passwords is limited by
//! address and name: each password counts against the limit until it is verified, and a right one then no longer
//! counts. A stranger who guesses passwords therefore locks out neither users with cached credentials nor users at other
//! addresses.

mod access_check;
mod access_token;
mod credentials;
mod identity;
mod login_queue;
mod request_origin;
mod session;
mod session_requests;
mod user_rules;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, try_generate_salt};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use sha2::Sha256;

pub(crate) use access_check::AccessCheck;
use access_token::{AccessTokens, bearer_token};
pub use access_token::{random_token, token_digest};
use credentials::{Account, CredentialCache, Credentials, Fingerprint};
pub(crate) use identity::Identity;
pub(crate) use login_queue::{LoginCounters, LoginQueue};
pub(crate) use request_origin::{check_origin, is_same_origin};
use session::{Sessions, forgetting_cookie, session_id};
pub(crate) use session_requests::{change_session, describe_session};
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

/// Whether this is the password of a hash. A damaged hash has none.
pub fn is_right_password(password: &str, hash: &str) -> bool {
    verify(password, hash).unwrap_or(false)
}

/// Whether a text is the hash of some password, as a PHC string of Argon2.
pub fn is_password_hash(text: &str) -> bool {
    let parsed = PasswordHash::new(text);
    check_password_hash(text).is_ok() && parsed.is_ok_and(|hash| hash.salt.is_some() && hash.hash.is_some())
}

/// The minimum time that a password within the limit may wait to be verified.
const MIN_WAIT: Duration = Duration::from_secs(2);

/// Authenticates requests.
pub(crate) struct Authenticator {
    policy: AuthPolicy,
    store: Arc<Store>,
    worker_pool: Arc<WorkerPool>,
    login_queue: LoginQueue,
    counters: LoginCounters,
    /// Keyed with a random key.
    mac: Hmac<Sha256>,
    cache: Mutex<CredentialCache>,
    tokens: AccessTokens,
    sessions: Sessions,
    /// Verified instead of a user's hash for unknown user names.
    decoy_hash: String,
}

impl Authenticator {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub(crate) fn new(
        state: &ApiState,
        login_queue: LoginQueue,
        worker_pool: &Arc<WorkerPool>,
    ) -> Result<Self, PasswordError> {
        let key = try_generate_salt().map_err(|error| PasswordError::new(&error))?;
        Ok(Self {
            policy: state.auth,
            store: Arc::clone(&state.store),
            worker_pool: Arc::clone(worker_pool),
            login_queue,
            counters: LoginCounters::default(),
            mac: Hmac::new_from_slice(&key).map_err(|error| PasswordError::new(&error))?,
            cache: Mutex::new(CredentialCache::new(
                state.config.credential_cache_entries,
                state.config.credential_cache_ttl.0,
            )),
            tokens: AccessTokens::default(),
            sessions: Sessions::new(&state.config),
            decoy_hash: hash_password("")?,
        })
    }

    /// Authenticates a request, and returns the identity that its limits apply to. Tokens, sessions and cached
    /// credentials are accepted without waiting.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] or [`ApiError::UnknownToken`]; those of [`Self::verify_credentials`]; [`ApiError::Internal`] when the users cannot be
    /// read.
    pub(crate) async fn authenticate(self: &Arc<Self>, head: &RequestHead) -> Result<Identity, ApiError> {
        if self.policy == AuthPolicy::Open && !self.store.has_users() {
            return Ok(Identity::Address(head.address));
        }
        if let Some(token) = bearer_token(&head.headers) {
            return self.tokens.find(&self.store, token)?.map(Identity::Token).ok_or(ApiError::UnknownToken);
        }
        let account = if head.headers.contains_key(AUTHORIZATION) {
            let credentials = Credentials::from_headers(&head.headers).ok_or(ApiError::Unauthorized)?;
            self.verify_credentials(credentials, head).await?
        } else {
            let id = session_id(&head.headers).ok_or(ApiError::Unauthorized)?;
            let account = self.sessions.account(id, &self.store, Instant::now())?;
            account.ok_or(ApiError::Unauthorized)?
        };
        Ok(Identity::User { name: account.name, roles: account.roles })
    }

    /// Opens a session. Returns the value of `Set-Cookie` that names it.
    ///
    /// # Errors
    /// As [`Self::verify_credentials`], and [`ApiError::Internal`] when the system provides no randomness.
    async fn sign_in(
        self: &Arc<Self>,
        credentials: Credentials,
        head: &RequestHead,
    ) -> Result<Option<HeaderValue>, ApiError> {
        let account = self.verify_credentials(credentials, head).await?;
        let id = random_token().map_err(|error| ApiError::Internal(error.to_string()))?;
        self.sessions.open(&id, account, Instant::now());
        Ok(self.sessions.cookie(&id, head.is_https))
    }

    /// Ends the session of a request, if it has one. Returns the value of `Set-Cookie` that removes the cookie.
    fn sign_out(&self, head: &RequestHead) -> Option<HeaderValue> {
        if let Some(id) = session_id(&head.headers) {
            self.sessions.close(id);
        }
        forgetting_cookie(head.is_https)
    }

    /// Returns the user whose name and password these are.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`]; [`ApiError::TooManyLogins`] after too many wrong passwords for the user from the
    /// address; [`ApiError::Overloaded`] when too many passwords wait; [`ApiError::Internal`] when the users cannot be
    /// read.
    async fn verify_credentials(
        self: &Arc<Self>,
        credentials: Credentials,
        RequestHead { address, exchange, .. }: &RequestHead,
    ) -> Result<Account, ApiError> {
        let fingerprint = self.fingerprint(&credentials);
        if let Some(account) = self.cached_account(&fingerprint)? {
            return Ok(account);
        }
        let claimant = Client::claiming(*address, &credentials.name);
        let until = Instant::now() + self.login_queue.wait;
        self.login_queue.charge(&claimant, exchange, until).await.map_err(|wait| {
            self.counters.limited.fetch_add(1, Ordering::Relaxed);
            ApiError::TooManyLogins(wait)
        })?;
        let refund = || self.login_queue.limiter.iter().for_each(|limiter| limiter.refund(&claimant));
        // By address only, because user names can be made up at no cost.
        let waiting = self.login_queue.queue.acquire(Client::at(*address));
        let left = until.saturating_duration_since(Instant::now()).max(MIN_WAIT);
        let Ok(Ok(permit)) = tokio::time::timeout(left, waiting).await else {
            refund();
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(ApiError::Overloaded);
        };
        if let Some(account) = self.verified_account(credentials, permit).await? {
            refund();
            self.counters.right.fetch_add(1, Ordering::Relaxed);
            self.cache().insert(fingerprint, account.clone());
            return Ok(account);
        }
        self.counters.wrong.fetch_add(1, Ordering::Relaxed);
        exchange.count_wrong_login();
        Err(ApiError::Unauthorized)
    }

    pub(crate) fn counters(&self) -> &LoginCounters {
        &self.counters
    }

    /// Returns the user if there is one and the password is right. The permit is held until the verification ends, even
    /// if the request is cancelled.
    async fn verified_account(
        self: &Arc<Self>,
        credentials: Credentials,
        permit: Permit<Client>,
    ) -> Result<Option<Account>, ApiError> {
        let this = Arc::clone(self);
        let verified_account = move || {
            let _permit = permit;
            let users_number = this.store.users_number();
            let Credentials { name, password } = credentials;
            let hash = this.store.users()?.into_iter().find(|(user, _)| *user == name).map(|(_, hash)| hash);
            let is_right = verify(&password, hash.as_ref().unwrap_or(&this.decoy_hash))?;
            let Some(hash) = hash.filter(|_| is_right) else { return Ok(None) };
            let roles = this.store.user_roles(&name)?;
            Ok(Some(Account { name: name.into(), hash, roles, users_number }))
        };
        self.worker_pool.run(verified_account).await
    }

    /// Returns the user whose credentials were verified before, if the user has not changed since.
    fn cached_account(&self, fingerprint: &Fingerprint) -> Result<Option<Account>, StoreError> {
        let mut cache = self.cache();
        let Some(user) = cache.entries.get_mut(fingerprint).filter(|user| Instant::now() < user.expires_at)
        else {
            return Ok(None);
        };
        if !user.account.is_current(&self.store)? {
            cache.entries.remove(fingerprint);
            return Ok(None);
        }
        Ok(Some(user.account.clone()))
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
