//! Credentials of HTTP Basic authentication, and the cache of verified ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64_NOPAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The user name and the password of a request.
pub(super) struct Credentials {
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

#[derive(Clone)]
pub(super) struct CachedCredentials {
    pub name: Arc<str>,
    pub hash: String,
    pub expires_at: Instant,
    /// The value of `Store::users_number` before the hash was last compared with the store.
    pub users_number: u64,
}

impl CredentialCache {
    pub(super) fn new(max_entries: usize, lifetime: Duration) -> Self {
        Self { entries: HashMap::new(), max_entries, lifetime }
    }

    pub(super) fn insert(
        &mut self,
        fingerprint: Fingerprint,
        name: Arc<str>,
        hash: String,
        users_number: u64,
    ) {
        let now = Instant::now();
        if self.entries.len() >= self.max_entries {
            self.entries.retain(|_, user| now < user.expires_at);
        }
        if self.entries.len() < self.max_entries
            && let Some(expires_at) = now.checked_add(self.lifetime)
        {
            self.entries.insert(fingerprint, CachedCredentials { name, hash, expires_at, users_number });
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
            cache.insert([number; 32], "user".into(), "hash".into(), 7);
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
