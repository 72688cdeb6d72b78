//! The sortable form of a URL (SURT): the host's labels turned round, so that keys sort as the web clusters.
//!
//! `https://www.example.com/path?q` becomes the bytes `com,example,www,)/path?q` followed by one byte for the
//! scheme, `0x01` for http and `0x02` for https. That byte is lower than any byte of a URL, so the form ends
//! itself: two of them can stand one after the other in a key, and a URL sorts before its own extensions.
//! The comma after the last label makes `com,example,` the prefix of exactly the host `example.com` and all
//! hosts below it: a host `example-shop.com` or a port cannot slip in. A port stands before the parenthesis:
//! `com,example,:8080)/`. An IP address is one label, unturned: `192.0.2.1,)/`.
//!
//! The idea is the Internet Archive's Sort-friendly URI Reordering Transform; the comma at the end and the
//! scheme byte are this index's own.

use std::fmt;

use memchr::{memchr, memchr2, memrchr};

use super::{CanonicalUrl, is_ip_literal};

const HTTP: u8 = 1;
const HTTPS: u8 = 2;

/// A URL in sortable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Surt(Box<[u8]>);

/// Bytes that are no sortable URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a stored URL is damaged ({0:?}); run `backlinkd verify --repair`")]
pub struct SurtError(pub String);

impl Surt {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes the sortable URL at the start of `bytes`; returns it and what follows it.
    ///
    /// # Errors
    /// [`SurtError`] when no scheme byte ends it.
    pub fn split_first(bytes: &[u8]) -> Result<(&[u8], &[u8]), SurtError> {
        match memchr2(HTTP, HTTPS, bytes) {
            Some(at) => Ok(bytes.split_at(at + 1)),
            None => Err(SurtError(String::from_utf8_lossy(bytes).into_owned())),
        }
    }

    /// The URL in its ordinary form.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes were not made by this type.
    pub fn to_url(&self) -> Result<CanonicalUrl, SurtError> {
        url_of(&self.0)
    }

    /// As [`Self::to_url`], for bytes of a key that nobody has copied.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes were not made by this type.
    pub fn bytes_to_url(bytes: &[u8]) -> Result<CanonicalUrl, SurtError> {
        url_of(bytes)
    }

    /// The host part of sortable bytes, with its last comma: `com,example,www,`.
    pub fn host_part(bytes: &[u8]) -> &[u8] {
        let end = memchr(b')', bytes).unwrap_or(bytes.len());
        let labels = &bytes[..end];
        match memrchr(b',', labels) {
            Some(comma) => &labels[..=comma],
            None => labels,
        }
    }
}

impl From<&CanonicalUrl> for Surt {
    fn from(url: &CanonicalUrl) -> Self {
        let mut key = Vec::with_capacity(url.as_str().len() + 2);
        let (host, authority) = (url.host(), url.authority());
        push_parts(&mut key, host, &authority[host.len()..], url.path_and_query(), url.is_https());
        Self(key.into_boxed_slice())
    }
}

/// `port` begins with its colon, or is empty.
fn push_parts(key: &mut Vec<u8>, host: &str, port: &str, path: &str, is_https: bool) {
    push_host(key, host);
    key.extend_from_slice(port.as_bytes());
    key.push(b')');
    key.extend_from_slice(path.as_bytes());
    key.push(if is_https { HTTPS } else { HTTP });
}

/// Many URLs in a row: what they are turned into is appended to one buffer, without memory of its own for each.
impl Surt {
    /// Appends the sortable form of a URL that is written as [`CanonicalUrl`] writes it; tells whether it is. What
    /// is not is left out.
    pub fn push_sortable(url: &str, key: &mut Vec<u8>) -> bool {
        let (is_https, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => match url.strip_prefix("http://") {
                Some(rest) => (false, rest),
                None => return false,
            },
        };
        let Some(slash) = memchr(b'/', rest.as_bytes()).filter(|&slash| slash > 0) else { return false };
        let (authority, path) = rest.split_at(slash);
        // An IPv6 address holds colons of its own.
        let host_end = authority.find(']').map_or_else(|| authority.find(':'), |bracket| Some(bracket + 1));
        let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
        push_parts(key, host, port, path, is_https);
        true
    }

    /// Appends the ordinary form of a sortable URL.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes were not made by this type; then `text` ends in a part of the URL.
    pub fn push_url(bytes: &[u8], text: &mut Vec<u8>) -> Result<(), SurtError> {
        push_url(bytes, text).ok_or_else(|| SurtError(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Appends the host that a host part, with its last comma, stands for.
    pub fn push_host(part: &[u8], text: &mut Vec<u8>) {
        push_host_of(text, part);
    }
}

impl fmt::Debug for Surt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// The key prefix of a host and all hosts below it: `com,example,` for `example.com`.
pub fn host_prefix(host: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(host.len() + 1);
    push_host(&mut key, host);
    key
}

fn push_host(key: &mut Vec<u8>, host: &str) {
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

/// The host of its sortable form, `com,example,www,`.
fn push_host_of(text: &mut Vec<u8>, part: &[u8]) {
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

fn push_url(bytes: &[u8], text: &mut Vec<u8>) -> Option<()> {
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
    push_host_of(text, host);
    text.extend_from_slice(port);
    text.extend_from_slice(path);
    Some(())
}

fn url_of(bytes: &[u8]) -> Result<CanonicalUrl, SurtError> {
    let mut text = Vec::new();
    push_url(bytes, &mut text)
        .and_then(|()| String::from_utf8(text).ok())
        .and_then(CanonicalUrl::from_stored)
        .ok_or_else(|| SurtError(String::from_utf8_lossy(bytes).into_owned()))
}

impl Surt {
    /// The host that a sortable URL, or a host part with its last comma, stands for.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not UTF-8.
    pub fn host_of(bytes: &[u8]) -> Result<String, SurtError> {
        let mut host = Vec::with_capacity(bytes.len());
        push_host_of(&mut host, Self::host_part(bytes));
        String::from_utf8(host).map_err(|_| SurtError(String::from_utf8_lossy(bytes).into_owned()))
    }
}
