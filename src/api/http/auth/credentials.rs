//! Credentials of HTTP Basic authentication, the user that they belong to, and the cache of verified ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64_NOPAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;

use crate::store::{Roles, Store, StoreError};

/// The user name and the password of a request.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    pub name: String,
    pub password: String,
}

impl Credentials {
    /// Parses an `Authorization` header. The base64 padding may be missing, as some clients omit it.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64_NOPAD.decode(encoded.trim().trim_end_matches('=').as_bytes()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }
}

pub(super) type Fingerprint = [u8; 32];

/// Recently verified credentials.
pub(super) struct CredentialCache {
    pub entries: HashMap<Fingerprint, CachedCredentials>,
    pub max_entries: usize,
    pub lifetime: Duration,
}

/// A user whose password was verified.
#[derive(Clone)]
pub(super) struct Account {
    pub name: Arc<str>,
    pub hash: String,
    pub roles: Roles,
    /// The value of `Store::users_number` before the user was last compared with the store.
    pub users_number: u64,
}

pub(super) struct CachedCredentials {
    pub account: Account,
    pub expires_at: Instant,
}

impl Account {
    /// Whether the user exists with the same password. The roles are those of the present.
    ///
    /// # Errors
    /// [`StoreError`] when the users cannot be read.
    pub(super) fn is_current(&mut self, store: &Store) -> Result<bool, StoreError> {
        let users_number = store.users_number();
        if users_number != self.users_number {
            let users = store.users()?;
            if !users.iter().any(|(name, hash)| **name == *self.name && *hash == self.hash) {
                return Ok(false);
            }
            self.roles = store.user_roles(&self.name)?;
            self.users_number = users_number;
        }
        Ok(true)
    }
}

impl CredentialCache {
    pub(super) fn new(max_entries: usize, lifetime: Duration) -> Self {
        Self { entries: HashMap::new(), max_entries, lifetime }
    }

    pub(super) fn insert(&mut self, fingerprint: Fingerprint, account: Account) {
        let now = Instant::now();
        if self.entries.len() >= self.max_entries {
            self.entries.retain(|_, user| now < user.expires_at);
        }
        if self.entries.len() < self.max_entries
            && let Some(expires_at) = now.checked_add(self.lifetime)
        {
            self.entries.insert(fingerprint, CachedCredentials { account, expires_at });
        }
    }
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
    fn parses_basic_credentials() {
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
    fn the_credential_cache_is_bounded_and_entries_expire() {
        let insert = |cache: &mut CredentialCache, number: u8| {
            let account =
                Account { name: "user".into(), hash: "hash".into(), roles: Roles::ALL, users_number: 7 };
            cache.insert([number; 32], account);
        };
        let mut two = CredentialCache::new(2, Duration::from_secs(60));
        for number in 0..3 {
            insert(&mut two, number);
        }
        assert_eq!(two.entries.len(), 2);
        let mut brief = CredentialCache::new(2, Duration::from_millis(5));
        for number in 0..4 {
            insert(&mut brief, number);
            std::thread::sleep(Duration::from_millis(6));
        }
        assert!(brief.entries.contains_key(&[3; 32]), "those that were too old made room");
    }
}
