//! The SURT of a URL (Sort-friendly URI Reordering Transform): host labels in reverse order, so that the keys of a host
//! and of a domain are adjacent.
//!
//! `https://www.example.com/path?q` becomes `com,example,www,)/path?q` followed by one byte for the scheme, `0x01`
//! for http and `0x02` for https. That byte is lower than any byte of a URL, so it terminates the form: two forms can
//! follow each other in a key, and a URL sorts before its extensions. With the comma after the last label,
//! `com,example,` is the prefix of exactly the host `example.com` and the hosts below it. It excludes
//! `example-shop.com` and ports. A port precedes the parenthesis: `com,example,:8080)/`. An IP address is one label
//! in normal order: `192.0.2.1,)/`.
//!
//! The transform is that of the Internet Archive. The final comma and the scheme byte are additions of this index.

use std::fmt;

use memchr::{memchr, memchr2, memrchr};

use super::{CanonicalUrl, is_ip_literal};

pub(super) const HTTP: u8 = 1;
pub(super) const HTTPS: u8 = 2;

/// The SURT of a URL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Surt(Box<[u8]>);

/// Bytes that are not a SURT.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a stored URL is damaged ({0:?}); run `backlinkd verify --repair`")]
pub struct SurtError(pub String);

impl Surt {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Splits off the SURT at the start of `bytes`. Returns it and the remaining bytes.
    ///
    /// # Errors
    /// [`SurtError`] when no scheme byte ends it.
    pub fn split_first(bytes: &[u8]) -> Result<(&[u8], &[u8]), SurtError> {
        match memchr2(HTTP, HTTPS, bytes) {
            Some(at) => Ok(bytes.split_at(at + 1)),
            None => Err(SurtError(String::from_utf8_lossy(bytes).into_owned())),
        }
    }

    /// The URL in its canonical form.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not a SURT.
    pub fn to_url(&self) -> Result<CanonicalUrl, SurtError> {
        url_of(&self.0)
    }

    /// As [`Self::to_url`], for borrowed bytes of a key.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not a SURT.
    pub fn bytes_to_url(bytes: &[u8]) -> Result<CanonicalUrl, SurtError> {
        url_of(bytes)
    }

    /// The host part of a SURT, with its last comma: `com,example,www,`.
    pub fn host_part(bytes: &[u8]) -> &[u8] {
        let end = memchr(b')', bytes).unwrap_or(bytes.len());
        let labels = &bytes[..end];
        match memrchr(b',', labels) {
            Some(comma) => &labels[..=comma],
            None => labels,
        }
    }

    /// The host of a SURT, or of a host part with its last comma.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not UTF-8.
    pub fn decode_host(bytes: &[u8]) -> Result<String, SurtError> {
        let mut host = Vec::with_capacity(bytes.len());
        Self::decode_host_into(Self::host_part(bytes), &mut host);
        String::from_utf8(host).map_err(|_| SurtError(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Appends the SURT of a URL in the form of [`CanonicalUrl`]. Returns whether it has that form; if not, nothing is
    /// appended. Many URLs go into one buffer, without an allocation for each.
    pub fn encode_into(url: &str, key: &mut Vec<u8>) -> bool {
        let (is_https, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => match url.strip_prefix("http://") {
                Some(rest) => (false, rest),
                None => return false,
            },
        };
        let Some(slash) = memchr(b'/', rest.as_bytes()).filter(|&slash| slash > 0) else { return false };
        let (authority, path) = rest.split_at(slash);
        // An IPv6 address contains colons.
        let host_end = authority.find(']').map_or_else(|| authority.find(':'), |bracket| Some(bracket + 1));
        let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
        encode_parts(key, host, port, path, is_https);
        true
    }

    /// Appends the URL of a SURT, in its canonical form.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not a SURT. `text` may then end with a part of the URL.
    pub fn decode_url_into(bytes: &[u8], text: &mut Vec<u8>) -> Result<(), SurtError> {
        decode_url(bytes, text).ok_or_else(|| SurtError(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Appends the host of a host part such as `com,example,www,`.
    pub fn decode_host_into(part: &[u8], text: &mut Vec<u8>) {
        let part = part.strip_suffix(b",").unwrap_or(part);
        if std::str::from_utf8(part).is_ok_and(is_ip_literal) {
            text.extend_from_slice(part);
            return;
        }
        let mut end = part.len();
        while let Some(comma) = memrchr(b',', &part[..end]) {
            text.extend_from_slice(&part[comma + 1..end]);
            text.push(b'.');
            end = comma;
        }
        text.extend_from_slice(&part[..end]);
    }
}

impl From<&CanonicalUrl> for Surt {
    fn from(url: &CanonicalUrl) -> Self {
        let mut key = Vec::with_capacity(url.as_str().len() + 2);
        let (host, authority) = (url.host(), url.authority());
        encode_parts(&mut key, host, &authority[host.len()..], url.path_and_query(), url.is_https());
        Self(key.into_boxed_slice())
    }
}

/// `port` starts with its colon, or is empty.
fn encode_parts(key: &mut Vec<u8>, host: &str, port: &str, path: &str, is_https: bool) {
    encode_host(key, host);
    key.extend_from_slice(port.as_bytes());
    key.push(b')');
    key.extend_from_slice(path.as_bytes());
    key.push(if is_https { HTTPS } else { HTTP });
}

impl fmt::Debug for Surt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// The key prefix of a host and all hosts below it: `com,example,` for `example.com`.
pub fn host_prefix(host: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(host.len() + 1);
    encode_host(&mut key, host);
    key
}

fn encode_host(key: &mut Vec<u8>, host: &str) {
    if is_ip_literal(host) {
        key.extend_from_slice(host.as_bytes());
        key.push(b',');
        return;
    }
    for label in host.rsplit('.') {
        key.extend_from_slice(label.as_bytes());
        key.push(b',');
    }
}

fn decode_url(bytes: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let (&scheme, rest) = bytes.split_last()?;
    let scheme: &[u8] = match scheme {
        HTTP => b"http://",
        HTTPS => b"https://",
        _ => return None,
    };
    let (authority, rest) = rest.split_at(memchr(b')', rest)?);
    let path = rest.strip_prefix(b")").filter(|path| path.starts_with(b"/"))?;
    let (host, port) = authority.split_at(memrchr(b',', authority).filter(|&comma| comma > 0)? + 1);
    text.reserve(scheme.len() + bytes.len());
    text.extend_from_slice(scheme);
    Surt::decode_host_into(host, text);
    text.extend_from_slice(port);
    text.extend_from_slice(path);
    Some(())
}

fn url_of(bytes: &[u8]) -> Result<CanonicalUrl, SurtError> {
    let mut text = Vec::new();
    decode_url(bytes, &mut text)
        .and_then(|()| String::from_utf8(text).ok())
        .and_then(CanonicalUrl::from_stored)
        .ok_or_else(|| SurtError(String::from_utf8_lossy(bytes).into_owned()))
}
