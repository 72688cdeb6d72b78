//! What a fetch brings: the parts of an HTTP answer that the index reads, or why there is none.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::body::{self, ContentEncoding, DecodeError, Decoded};
use super::failure::Failure;
use super::http_date;
use super::memory::Room;
use crate::model::{Cut, FailureKind, MediaType, TlsFlaw};

/// What came of a fetch. A 404 or a redirect is an answer like any other.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchOutcome {
    Answered(Box<Answer>),
    /// The kind, and in words what exactly went wrong.
    Failed(FailureKind, String),
}

impl From<Result<Answer, Failure>> for FetchOutcome {
    fn from(result: Result<Answer, Failure>) -> Self {
        match result {
            Ok(answer) => Self::Answered(Box::new(answer)),
            Err(Failure { kind, detail, .. }) => Self::Failed(kind, detail),
        }
    }
}

/// An HTTP answer. Headers that the server did not send are empty or `None`; header bytes that are not UTF-8 are
/// read as Latin-1.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub version: Version,
    /// All of them, as sent: what the fields below are read from.
    pub headers: HeaderMap,
    /// By all `Content-Type` lines; `None` when none of them names a valid type.
    pub media_type: Option<MediaType>,
    /// In the order in which the server applied them, transfer codings included; those that nobody knows are left out.
    pub content_encoding: Vec<ContentEncoding>,
    /// As sent, relative or not. Bytes that are not UTF-8 are percent-encoded, so that following the reference
    /// asks for exactly those bytes.
    pub location: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// One element a header line.
    pub x_robots_tag: Vec<String>,
    pub refresh: Option<String>,
    /// One element a header line.
    pub link: Vec<String>,
    /// How long the server asks to be left alone, counted from the answer.
    pub retry_after: Option<Duration>,
    /// The address that the answer came from.
    pub ip: IpAddr,
    /// As it came over the wire, encodings still on: see [`Self::decode`]. Empty where nobody reads it.
    pub body: Bytes,
    /// Whether the body was left unread, because it is not HTML.
    pub unread: bool,
    /// Why the end of the body is missing on the wire; `None` when the body is whole.
    pub cut: Option<Cut>,
    /// What exactly cut it, unless it is longer than `fetch.max_body_bytes`; else empty.
    pub cause: String,
    /// What is wrong with the certificate of a server that is read all the same.
    pub tls: Option<TlsFlaw>,
    /// Header fields that were left out because there are more than `fetch.max_headers`.
    pub dropped_headers: usize,
    /// In memory, for what it brings.
    pub room: Room,
    /// How long its body waited for room, which is none of the server's doing.
    pub waited: Duration,
}

impl Answer {
    /// An answer without its body.
    pub(super) fn new(status: u16, version: Version, headers: HeaderMap, ip: IpAddr) -> Self {
        Self {
            status,
            version,
            media_type: MediaType::extract(headers.get_all(header::CONTENT_TYPE)),
            content_encoding: ContentEncoding::list(
                // Transfer codings are applied last (RFC 9112, 7); the client takes off the chunked one alone.
                [header::CONTENT_ENCODING, header::TRANSFER_ENCODING]
                    .iter()
                    .flat_map(|name| headers.get_all(name))
                    .map(text)
                    .collect::<Vec<_>>()
                    .iter()
                    .map(String::as_str),
            ),
            location: headers.get(header::LOCATION).map(reference),
            etag: headers.get(header::ETAG).map(text),
            last_modified: headers.get(header::LAST_MODIFIED).map(text),
            x_robots_tag: all(&headers, &HeaderName::from_static("x-robots-tag")),
            refresh: headers.get(header::REFRESH).map(text),
            link: all(&headers, &header::LINK),
            retry_after: headers.get(header::RETRY_AFTER).map(text).and_then(|value| retry_after(&value)),
            headers,
            ip,
            body: Bytes::new(),
            unread: false,
            cut: None,
            cause: String::new(),
            tls: None,
            dropped_headers: 0,
            room: Room::default(),
            waited: Duration::ZERO,
        }
    }

    /// The body without its content encodings, cut at `cap` bytes. Takes as long as the body asks for: call it
    /// off the async threads.
    ///
    /// # Errors
    /// [`DecodeError`] when the body is not what its encoding says: [`FailureKind::Decode`].
    pub fn decode(&self, cap: usize) -> Result<Decoded, DecodeError> {
        body::decode(&self.content_encoding, &self.body, self.cut, cap)
    }

    /// As [`Self::decode`]; `grow` is told how many bytes that takes before it takes them, and may wait.
    ///
    /// # Errors
    /// As of [`Self::decode`].
    pub fn decode_within(&self, cap: usize, grow: impl FnMut(usize)) -> Result<Decoded, DecodeError> {
        body::decode_within(&self.content_encoding, &self.body, self.cut, cap, grow)
    }
}

fn all(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(text).collect()
}

fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

fn reference(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => percent_encoding::percent_encode(value.as_bytes(), percent_encoding::CONTROLS).to_string(),
    }
}

/// Reads `Retry-After`: seconds, or the date until which to wait (RFC 9110, 10.2.3).
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(http_date::parse(value)?);
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_whatever_bytes_they_hold() {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &[u8]| {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        };
        add("location", b"/\xfcml\xe4ut?a b");
        add("content-type", b"text/plain");
        add("content-type", b"text/html; charset=\"utf-8\"; x=\xe9, */*");
        add("content-encoding", b"GZIP , identity");
        add("content-encoding", b"br,x-odd");
        add("x-robots-tag", b"noindex");
        add("x-robots-tag", "otherbot: nofollow, ü".as_bytes());
        add("etag", b"\"\xe9\"");
        add("retry-after", b" 120 ");
        let answer = Answer::new(200, Version::HTTP_11, headers.clone(), "1.1.1.1".parse().unwrap());
        assert_eq!(answer.location.as_deref(), Some("/%FCml%E4ut?a b"));
        assert_eq!(answer.media_type, MediaType::parse(b"text/html; charset=utf-8"));
        assert_eq!(answer.content_encoding, [ContentEncoding::Gzip, ContentEncoding::Brotli]);
        assert_eq!(answer.x_robots_tag, ["noindex", "otherbot: nofollow, ü"]);
        assert_eq!(answer.etag.as_deref(), Some("\"é\""));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(120)));
        assert_eq!((answer.refresh, answer.link, answer.last_modified), (None, vec![], None));
        assert_eq!(answer.headers, headers);
    }

    #[test]
    fn a_date_to_wait_for_is_turned_into_a_time_to_wait() {
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let wait = retry_after("Fri, 31 Dec 2399 23:59:59 GMT").unwrap();
        assert!(wait > Duration::from_secs(86_400 * 365 * 300));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-5"), None);
    }
}
