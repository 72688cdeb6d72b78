//! Access tokens: `Authorization: Bearer` (RFC 6750).
//!
//! A token is 32 random bytes in base64url. The store has its SHA-256 alone. A slow hash would protect nothing, because
//! random bytes cannot be guessed. For the same reason wrong tokens have no rate limit of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

use crate::clock::unix_now;
use crate::store::{Store, StoreError, StoredToken};

/// Begins every token, so that a token in the wrong place is recognized.
const PREFIX: &str = "backlinkd_";
const RANDOM_BYTES: usize = 32;

/// A random text with its prefix that cannot be guessed.
///
/// # Errors
/// When the system provides no randomness.
pub fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
}

/// The SHA-256 of a token, in hexadecimal.
pub fn token_digest(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// The token in an `Authorization` header.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tokens of the store by digest, read again after each change.
#[derive(Default)]
pub(super) struct AccessTokens(Mutex<LoadedTokens>);

#[derive(Default)]
struct LoadedTokens {
    /// The value of `Store::users_number` before the tokens were read; `None` before the first time.
    users_number: Option<u64>,
    by_digest: HashMap<String, Arc<StoredToken>>,
}

impl AccessTokens {
    /// Returns the token with this text, unless it is unknown or expired.
    pub(super) fn find(&self, store: &Store, text: &str) -> Result<Option<Arc<StoredToken>>, StoreError> {
        let users_number = store.users_number();
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.users_number != Some(users_number) {
            let by_digest = store.tokens()?.into_iter().map(|token| (token.digest.clone(), Arc::new(token)));
            *loaded = LoadedTokens { users_number: Some(users_number), by_digest: by_digest.collect() };
        }
        let found = loaded.by_digest.get(&token_digest(text));
        Ok(found.filter(|token| !token.is_expired(unix_now())).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_only_bearer_headers_have_one() {
        let token = random_token().unwrap();
        assert!(token.len() == PREFIX.len() + 43 && token != random_token().unwrap());
        // SHA-256 of "abc": FIPS 180-2, appendix B.1.
        assert_eq!(token_digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for (value, token) in
            [("Bearer x", Some("x")), ("bearer  x ", Some("x")), ("Basic x", None), ("Bearer", None)]
        {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bearer_token(&headers), token, "{value}");
        }
    }
}
