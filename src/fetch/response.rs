//! The result of a fetch: the parts of an HTTP response that the index reads, or a failure.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::decode::{self, ContentEncoding, DecodeError, Decoded};
use super::failure::Failure;
use super::memory::Reservation;
use crate::model::{Cut, FailureKind, MediaType, TlsFlaw};

/// The result of a fetch. A 404 or a redirect is a response like any other.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchOutcome {
    Responded(Box<Response>),
    /// The kind of failure, and its cause in words.
    Failed(FailureKind, String),
}

impl From<Result<Response, Failure>> for FetchOutcome {
    fn from(result: Result<Response, Failure>) -> Self {
        match result {
            Ok(response) => Self::Responded(Box::new(response)),
            Err(Failure { kind, detail, .. }) => Self::Failed(kind, detail),
        }
    }
}

/// An HTTP response. Headers that the server did not send are empty or `None`; header bytes that are not UTF-8 are
/// read as Latin-1.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub version: Version,
    /// All headers, as sent. The fields below are parsed from them.
    pub headers: HeaderMap,
    /// From all `Content-Type` lines; `None` without a valid type.
    pub media_type: Option<MediaType>,
    /// In order of application, including transfer codings; unknown names are left out.
    pub content_encoding: Vec<ContentEncoding>,
    /// As sent, relative or absolute. Bytes that are not UTF-8 are percent-encoded, so that a request for the target
    /// sends exactly those bytes.
    pub location: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// One element per header line.
    pub x_robots_tag: Vec<String>,
    pub refresh: Option<String>,
    /// One element per header line.
    pub link: Vec<String>,
    /// The pause that the server asks for, counted from the response.
    pub retry_after: Option<Duration>,
    /// The address of the server.
    pub ip: IpAddr,
    /// As received, with its encodings: see [`Self::decode`]. Empty when it is not needed.
    pub body: Bytes,
    /// Whether the body was left unread because it is not HTML.
    pub unread: bool,
    /// Why the end of the body is missing on the wire; `None` when the body is whole.
    pub cut: Option<Cut>,
    /// The cause of the cut, unless the body exceeds `fetch.max_body_bytes`; else empty.
    pub cause: String,
    /// The flaw of the certificate of a server that is read nevertheless.
    pub tls: Option<TlsFlaw>,
    /// Number of header fields dropped beyond `fetch.max_headers`.
    pub dropped_headers: usize,
    /// The memory of the response and its results.
    pub reservation: Reservation,
    /// Time that the body waited for memory, which the server did not cause.
    pub waited: Duration,
}

impl Response {
    /// A response without its body.
    pub(super) fn new(status: u16, version: Version, headers: HeaderMap, ip: IpAddr) -> Self {
        Self {
            status,
            version,
            media_type: MediaType::extract(headers.get_all(header::CONTENT_TYPE)),
            content_encoding: ContentEncoding::list(
                // Transfer codings are applied last (RFC 9112, 7). The client removes only the chunked one.
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
            retry_after: headers
                .get(header::RETRY_AFTER)
                .map(text)
                .and_then(|value| retry_after(&value, SystemTime::now())),
            headers,
            ip,
            body: Bytes::new(),
            unread: false,
            cut: None,
            cause: String::new(),
            tls: None,
            dropped_headers: 0,
            reservation: Reservation::default(),
            waited: Duration::ZERO,
        }
    }

    /// The decoded body, cut at `cap` bytes. Decoding may take long: call it off the async threads.
    ///
    /// # Errors
    /// [`DecodeError`] when the body contradicts its encoding: [`FailureKind::Decode`].
    pub fn decode(&self, cap: usize) -> Result<Decoded, DecodeError> {
        decode::decode(&self.content_encoding, &self.body, self.cut, cap)
    }

    /// As [`Self::decode`]. `grow` gets the number of bytes before they are allocated, and may block.
    ///
    /// # Errors
    /// As of [`Self::decode`].
    pub fn decode_within(&self, cap: usize, grow: impl FnMut(usize)) -> Result<Decoded, DecodeError> {
        decode::decode_within(&self.content_encoding, &self.body, self.cut, cap, grow)
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

/// Parses `Retry-After`: seconds, or a date in one of the three forms of HTTP (RFC 9110, 10.2.3 and 5.6.7).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_any_bytes_are_parsed() {
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
        let response = Response::new(200, Version::HTTP_11, headers.clone(), "1.1.1.1".parse().unwrap());
        assert_eq!(response.location.as_deref(), Some("/%FCml%E4ut?a b"));
        assert_eq!(response.media_type, MediaType::parse(b"text/html; charset=utf-8"));
        assert_eq!(response.content_encoding, [ContentEncoding::Gzip, ContentEncoding::Brotli]);
        assert_eq!(response.x_robots_tag, ["noindex", "otherbot: nofollow, ü"]);
        assert_eq!(response.etag.as_deref(), Some("\"é\""));
        assert_eq!(response.retry_after, Some(Duration::from_secs(120)));
        assert_eq!((response.refresh, response.link, response.last_modified), (None, vec![], None));
        assert_eq!(response.headers, headers);
    }

    #[test]
    fn a_retry_after_date_becomes_a_duration() {
        let after_epoch = |value| retry_after(value, SystemTime::UNIX_EPOCH).map(|wait| wait.as_secs());
        // RFC 9110, 5.6.7: a recipient must accept all three forms. The expected values come from GNU date.
        assert_eq!(after_epoch("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(after_epoch("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(after_epoch("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
        assert_eq!(after_epoch("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for text in ["", "soon", "-5", "Sun, 30 Feb 2024 00:00:00 GMT", "Thu, 01 Jan 1970 00:00 GMT"] {
            assert_eq!(after_epoch(text), None, "{text}");
        }
        let now = SystemTime::now();
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::ZERO));
        let wait = retry_after("Fri, 31 Dec 2399 23:59:59 GMT", now).unwrap();
        assert!(wait > Duration::from_secs(86_400 * 365 * 300));
    }
}
