//! Tokens of the API, stored in `meta` under their names: the SHA-256 of the token, its roles, and its last second.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::store::codec::keys::after_prefix;
use crate::store::db::schema::META;
use crate::store::roles::Roles;
use crate::store::{Store, StoreError};

pub(in crate::store) const TOKEN_PREFIX: &[u8] = b"token/";

/// Stands in the place of the last second of a token without an end.
const NO_END: &str = "-";

/// A token as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    /// The name under which it is listed and removed.
    pub name: String,
    /// The SHA-256 of the token, in hexadecimal.
    pub digest: String,
    pub roles: Roles,
    /// The Unix time from which on it is refused.
    pub expires_at: Option<u64>,
}

impl StoredToken {
    /// Whether the token is refused at this Unix time because of its age.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    fn value(&self) -> String {
        let end = self.expires_at.map_or_else(|| NO_END.to_owned(), |end| end.to_string());
        format!("{} {} {end}", self.digest, self.roles)
    }

    /// Decodes a row; `None` for a damaged one.
    pub(in crate::store) fn decode(key: &[u8], value: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(key.strip_prefix(TOKEN_PREFIX)?).ok()?;
        let mut parts = std::str::from_utf8(value).ok()?.split(' ');
        let (digest, roles, end) = (parts.next()?, parts.next()?, parts.next()?);
        let is_digest = HEXLOWER.decode(digest.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        let expires_at = if end == NO_END { None } else { Some(end.parse().ok()?) };
        (is_digest && !name.is_empty() && parts.next().is_none()).then_some(Self {
            name: name.to_owned(),
            digest: digest.to_owned(),
            roles: Roles::parse(roles)?,
            expires_at,
        })
    }
}

impl Store {
    /// The tokens of the API, sorted by name, with expired ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a token is damaged.
    pub fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        let mut cursor = self.cursor_before(META, after_prefix(TOKEN_PREFIX))?;
        cursor.seek(TOKEN_PREFIX);
        let mut tokens = Vec::new();
        while let Some((key, value)) = cursor.item() {
            let token = StoredToken::decode(key, value);
            tokens.push(token.ok_or_else(|| StoreError::damaged(META, key, "a token"))?);
            cursor.next();
        }
        cursor.status()?;
        Ok(tokens)
    }

    /// Adds a token. Returns false, and changes nothing, if there is one of this name.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn add_token(&self, token: &StoredToken) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        if self.get(META, token_key(&token.name))?.is_some() {
            return Ok(false);
        }
        self.put_row(META, token_key(&token.name), token.value())?;
        self.has_users.store(true, Ordering::Release);
        self.users_number.fetch_add(1, Ordering::Release);
        Ok(true)
    }

    /// Whether the API has this token, and neither users nor other tokens.
    ///
    /// # Errors
    /// As [`Self::tokens`].
    pub fn is_last_token(&self, name: &str) -> Result<bool, StoreError> {
        let tokens = self.tokens()?;
        Ok(tokens.iter().map(|token| &token.name).eq([name]) && self.user_names()?.is_empty())
    }

    /// Removes a token. Returns whether it existed.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn remove_token(&self, name: &str) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.get(META, token_key(name))?.is_some();
        self.delete_row(META, token_key(name))?;
        // Cached tokens become invalid first, even if the count below fails.
        self.users_number.fetch_add(1, Ordering::Release);
        self.load_has_users()?;
        Ok(known)
    }
}

fn token_key(name: &str) -> Vec<u8> {
    [TOKEN_PREFIX, name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_decoded_as_it_was_written_and_damage_is_found() {
        let digest = "ab".repeat(32);
        for expires_at in [None, Some(7)] {
            let token =
                StoredToken { name: "n n".to_owned(), digest: digest.clone(), roles: Roles::ALL, expires_at };
            assert_eq!(StoredToken::decode(b"token/n n", token.value().as_bytes()), Some(token));
        }
        for wrong in ["", "x read -", &format!("{digest} read"), &format!("{digest} all -")] {
            assert_eq!(StoredToken::decode(b"token/n", wrong.as_bytes()), None, "{wrong}");
        }
        let right = format!("{digest} read 7");
        assert_eq!(StoredToken::decode(b"token/", right.as_bytes()), None);
        let token = StoredToken::decode(b"token/n", right.as_bytes()).unwrap();
        assert!(!token.is_expired(6) && token.is_expired(7) && token.is_expired(8));
    }
}
