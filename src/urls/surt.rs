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

use super::{CanonicalUrl, is_ip_literal};

const HTTP: u8 = 1;
const HTTPS: u8 = 2;

/// A URL in sortable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Surt(Box<[u8]>);

/// Bytes that are no sortable URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the stored key {0:?} is not a URL in sortable form")]
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
        match bytes.iter().position(|&b| b == HTTP || b == HTTPS) {
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
        let end = bytes.iter().position(|&b| b == b')').unwrap_or(bytes.len());
        let labels = &bytes[..end];
        match labels.iter().rposition(|&b| b == b',') {
            Some(comma) => &labels[..=comma],
            None => labels,
        }
    }
}

impl From<&CanonicalUrl> for Surt {
    fn from(url: &CanonicalUrl) -> Self {
        let mut key = Vec::with_capacity(url.as_str().len() + 2);
        push_host(&mut key, url.host());
        if let Some(port) = url.port() {
            key.extend_from_slice(format!(":{port}").as_bytes());
        }
        key.push(b')');
        key.extend_from_slice(url.path_and_query().as_bytes());
        key.push(if url.is_https() { HTTPS } else { HTTP });
        Self(key.into_boxed_slice())
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
fn host_of(part: &str) -> String {
    let mut host = String::with_capacity(part.len());
    push_host_of(&mut host, part);
    host
}

fn push_host_of(text: &mut String, part: &str) {
    let part = part.strip_suffix(',').unwrap_or(part);
    if is_ip_literal(part) {
        text.push_str(part);
        return;
    }
    for (index, label) in part.rsplit(',').enumerate() {
        if index > 0 {
            text.push('.');
        }
        text.push_str(label);
    }
}

fn url_of(bytes: &[u8]) -> Result<CanonicalUrl, SurtError> {
    let wrong = || SurtError(String::from_utf8_lossy(bytes).into_owned());
    let (&scheme, text) = bytes.split_last().ok_or_else(wrong)?;
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    let scheme = match scheme {
        HTTP => "http://",
        HTTPS => "https://",
        _ => return Err(wrong()),
    };
    let (authority, rest) = text.split_once(')').ok_or_else(wrong)?;
    let comma = authority.rfind(',').ok_or_else(wrong)?;
    let (host, port) = authority.split_at(comma + 1);
    let mut url = String::with_capacity(scheme.len() + text.len());
    url.push_str(scheme);
    push_host_of(&mut url, host);
    url.push_str(port);
    url.push_str(rest);
    CanonicalUrl::from_stored(url).ok_or_else(wrong)
}

impl Surt {
    /// The host that a sortable URL, or a host part with its last comma, stands for.
    ///
    /// # Errors
    /// [`SurtError`] when the bytes are not UTF-8.
    pub fn host_of(bytes: &[u8]) -> Result<String, SurtError> {
        std::str::from_utf8(Self::host_part(bytes))
            .map(host_of)
            .map_err(|_| SurtError(String::from_utf8_lossy(bytes).into_owned()))
    }
}
