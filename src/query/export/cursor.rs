//! Cursors: the `next` tokens with which an export continues.
//!
//! A token is the URL-safe base64 form of a version byte, an HMAC-SHA256 (RFC 2104, FIPS 180-4) truncated to
//! 128 bits, and the store key of the last row. The HMAC also covers endpoint and scope, so a token is valid
//! only for the query that it was issued for. The HMAC key is in the store, so tokens stay valid after a
//! restart. An empty store key comes before all rows. A token is not secret: it contains the key of a row
//! that its client has received.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::query::QueryError;
use crate::urls::Scope;

const VERSION: u8 = 1;
const CODE_BYTES: usize = 16;

/// The values that a token is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The HMAC key, from the store.
    pub key: &'a [u8; 32],
    pub endpoint: &'a str,
    pub scope: &'a Scope,
}

impl Binding<'_> {
    /// The token for continuing after `position`.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] never in practice: HMAC accepts keys of any length.
    pub fn seal(&self, position: &[u8]) -> Result<String, QueryError> {
        let code = self.mac(position)?.finalize().into_bytes();
        let mut token = Vec::with_capacity(1 + CODE_BYTES + position.len());
        token.push(VERSION);
        token.extend_from_slice(&code[..CODE_BYTES]);
        token.extend_from_slice(position);
        Ok(BASE64URL_NOPAD.encode(&token))
    }

    /// The position of a token.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] for a token that was not issued with these values.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, QueryError> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| QueryError::Cursor)?;
        let (&version, rest) = bytes.split_first().ok_or(QueryError::Cursor)?;
        let (code, position) = rest.split_at_checked(CODE_BYTES).ok_or(QueryError::Cursor)?;
        if version != VERSION {
            return Err(QueryError::Cursor);
        }
        self.mac(position)?.verify_truncated_left(code).map_err(|_| QueryError::Cursor)?;
        Ok(position.to_vec())
    }

    /// The HMAC of all values that a token is bound to, each preceded by its length.
    fn mac(&self, position: &[u8]) -> Result<Hmac<Sha256>, QueryError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key).map_err(|_| QueryError::Cursor)?;
        for part in [&[VERSION], self.endpoint.as_bytes(), scope_name(self.scope).as_bytes(), position] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Ok(mac)
    }
}

/// A unique name of the scope. It must not change in later versions.
fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Url { url, https_url: None } => format!("url {url}"),
        Scope::Url { url, https_url: Some(https_url) } => format!("url {url} {https_url}"),
        Scope::Host { host, port: None } => format!("host {host}"),
        Scope::Host { host, port: Some(port) } => format!("host {host}:{port}"),
        Scope::Domain { domain } => format!("domain {domain}"),
        Scope::Prefix { host, port: None, path } => format!("prefix {host}{}", path.as_str()),
        Scope::Prefix { host, port: Some(port), path } => format!("prefix {host}:{port}{}", path.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str) -> Scope {
        Scope::Domain { domain: name.to_owned() }
    }

    #[test]
    fn a_token_opens_only_where_it_was_sealed() {
        let (scope, other) = (domain("example.com"), domain("example.org"));
        let host = Scope::Host { host: "example.com".to_owned(), port: None };
        let binding = Binding { key: &[7; 32], endpoint: "exportpages", scope: &scope };
        let token = binding.seal(b"com,example,)/\x01").unwrap();
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
        assert_eq!(binding.open(&token).unwrap(), b"com,example,)/\x01");
        for foreign in [
            Binding { endpoint: "exportbacklinks", ..binding },
            Binding { scope: &other, ..binding },
            Binding { scope: &host, ..binding },
            Binding { key: &[8; 32], ..binding },
        ] {
            assert!(foreign.open(&token).is_err());
        }
    }

    #[test]
    fn no_altered_or_malformed_token_opens() {
        let scope = domain("example.com");
        let binding = Binding { key: &[7; 32], endpoint: "exportpages", scope: &scope };
        let token = binding.seal(b"key").unwrap();
        for at in 0..token.len() {
            for letter in ['A', 'b', '-', '=', '!'] {
                let mut altered = token.clone();
                altered.replace_range(at..=at, &letter.to_string());
                assert!(altered == token || binding.open(&altered).is_err(), "{altered}");
            }
            assert!(binding.open(&token[..at]).is_err());
        }
        assert!(binding.open(&format!("{token}A")).is_err());
        assert!(binding.open("ä").is_err());
        assert!(binding.open(&binding.seal(b"").unwrap()).unwrap().is_empty());
    }
}
