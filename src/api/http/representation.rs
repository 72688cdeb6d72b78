//! The representation of a response: bytes in a format and a content coding, with an entity tag, and the comparison
//! with the tags that a client has (RFC 9110, sections 8.8.3 and 13.1.2).
//!
//! The tag of a whole response is strong. It is a hash of the bytes sent, so that each coding and format has its own.
//! The extra headers are part of the hash, so that an empty list with a new warning has a new tag. The tag of a
//! streamed response is sent before the response is complete. It is weak and names the state of the store. A streamed
//! response that depends on another state or on the current day has no tag.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::admission::ByteReservation;
use super::compression::{compressed, compressed_best};
use super::negotiation::{AcceptedCoding, ContentCoding, Format};
use crate::api::reply::headers::as_of;
use crate::query::IndexState;

/// A rendered reply before it is encoded for a client.
#[derive(Debug)]
pub struct Rendered {
    pub body: Vec<u8>,
    pub meta: ResponseMeta,
    /// Whether the same request gets the same response until the next commit.
    pub cacheable: bool,
}

/// The metadata of a response, as its headers express it.
#[derive(Clone, Debug)]
pub struct ResponseMeta {
    pub format: Format,
    /// Whether `Accept` decided about the format.
    pub varies_by_accept: bool,
    /// Headers that replace the keys of JSON in other formats.
    pub extra_headers: Vec<(HeaderName, HeaderValue)>,
    /// The state of the index that the response is of. It is no part of the tag: a later state may have the same
    /// response.
    pub state: Option<IndexState>,
}

/// The bytes of a response with their headers.
#[derive(Debug)]
pub(crate) struct Representation {
    body: Bytes,
    coding: ContentCoding,
    meta: ResponseMeta,
    etag: HeaderValue,
}

/// Bytes that keep their reservation until the last reference to them is dropped.
struct ReservedBytes {
    bytes: Bytes,
    _reservation: ByteReservation,
}

impl AsRef<[u8]> for ReservedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Representation {
    /// Encodes a reply as the client accepts it. Bodies shorter than `compress_min_bytes` are compressed only if the
    /// client refuses uncompressed bytes.
    ///
    /// # Errors
    /// When the system has no memory for the compressor.
    pub(crate) fn new(
        rendered: Rendered,
        accepted: AcceptedCoding,
        compress_min_bytes: usize,
    ) -> io::Result<Self> {
        Self::encode(rendered.body.into(), rendered.meta, accepted, compress_min_bytes)
    }

    /// Encodes the same uncompressed reply for another client.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn reencode(&self, accepted: AcceptedCoding, compress_min_bytes: usize) -> io::Result<Self> {
        Self::encode(self.body.clone(), self.meta.clone(), accepted, compress_min_bytes)
    }

    fn encode(
        body: Bytes,
        meta: ResponseMeta,
        accepted: AcceptedCoding,
        compress_min_bytes: usize,
    ) -> io::Result<Self> {
        let is_long = body.len() >= compress_min_bytes || accepted.identity_refused;
        let coding = if is_long { meta.format.coding(accepted.coding) } else { ContentCoding::Identity };
        let body = match coding {
            ContentCoding::Identity => body,
            // Documents are compressed once, when the server starts.
            _ if matches!(meta.format, Format::Document(_)) => compressed_best(&body, coding)?.into(),
            _ => compressed(&body, coding)?.into(),
        };
        let etag = ascii_header(&format!("\"{:032x}\"", meta.digest(&body)));
        Ok(Self { body, coding, meta, etag })
    }

    /// Attaches a reservation that lasts until the last reference to the bytes is dropped.
    pub(crate) fn with_reservation(self, reservation: ByteReservation) -> Self {
        let body = Bytes::from_owner(ReservedBytes { bytes: self.body, _reservation: reservation });
        Self { body, ..self }
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn meta(&self) -> &ResponseMeta {
        &self.meta
    }

    /// The length of the body in bytes.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// Returns the response to a GET or HEAD request with these headers.
    pub(crate) fn response(&self, request: &HeaderMap) -> Response<Bytes> {
        if matches_if_none_match(request, &self.etag) {
            return not_modified(&self.meta, &self.etag);
        }
        let mut response = self.untagged_response();
        response.headers_mut().insert(ETAG, self.etag.clone());
        response
    }

    /// Returns the response to any other method, which has no entity tag.
    pub(crate) fn untagged_response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        self.meta.write(self.coding, response.headers_mut());
        response
    }
}

impl ResponseMeta {
    /// Metadata of JSON, which needs no extra headers.
    pub fn json(varies_by_accept: bool) -> Self {
        Self { format: Format::Json, varies_by_accept, extra_headers: Vec::new(), state: None }
    }

    /// Writes the headers.
    pub fn write(&self, coding: ContentCoding, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, self.format.content_type());
        if let Some(coding) = coding.content_encoding() {
            headers.insert(CONTENT_ENCODING, coding);
        }
        headers.insert(VARY, self.vary());
        headers.extend(self.extra_headers.iter().cloned());
        headers.extend(self.state.and_then(as_of));
    }

    /// Hashes a body and the extra headers.
    fn digest(&self, body: &[u8]) -> u128 {
        if self.extra_headers.is_empty() {
            return xxh3_128(body);
        }
        let mut digest = Xxh3Default::new();
        digest.update(body);
        self.finish_digest(digest)
    }

    fn finish_digest(&self, mut digest: Xxh3Default) -> u128 {
        for (name, value) in &self.extra_headers {
            digest.update(name.as_str().as_bytes());
            digest.update(value.as_bytes());
        }
        digest.digest128()
    }

    fn vary(&self) -> HeaderValue {
        HeaderValue::from_static(if self.varies_by_accept {
            "Accept-Encoding, Accept"
        } else {
            "Accept-Encoding"
        })
    }
}

/// Returns the tag of a whole response with a body of this digest: that of its [`Representation`].
pub(crate) fn strong_etag(meta: &ResponseMeta, body: Xxh3Default) -> HeaderValue {
    ascii_header(&format!("\"{:032x}\"", meta.finish_digest(body)))
}

/// Returns the weak tag of a streamed response.
pub(crate) fn weak_etag(
    process: u64,
    change_number: u64,
    format: Format,
    coding: ContentCoding,
) -> HeaderValue {
    ascii_header(&format!("W/\"{process:016x}-{change_number:x}-{format:?}-{coding:?}\""))
}

/// Returns a 304 response with the headers that caches need (RFC 9110, section 15.4.5), and the state that has the same
/// response.
pub(crate) fn not_modified<B: Default>(meta: &ResponseMeta, etag: &HeaderValue) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, etag.clone());
    response.headers_mut().insert(VARY, meta.vary());
    response.headers_mut().extend(meta.state.and_then(as_of));
    response
}

/// Whether `If-None-Match` contains this tag by weak comparison, or `*`.
pub(crate) fn matches_if_none_match(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = opaque_tag(etag.as_bytes());
    let values = request.get_all(IF_NONE_MATCH).into_iter();
    values
        .map(HeaderValue::as_bytes)
        .any(|list| list.trim_ascii() == b"*" || etags(list).any(|listed| listed == etag))
}

/// Returns the strong tags in a header, with their quotes.
pub(crate) fn tags_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h [u8]> {
    let values = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    values.filter(|list| !list.trim_ascii().starts_with(b"W/")).flat_map(etags).collect()
}

/// Iterates over the tags of a list without their weakness marks. A tag may contain commas.
fn etags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|&b| b == b'"')?;
        let length = rest[start + 1..].iter().position(|&b| b == b'"')?;
        let (etag, after) = rest[start..].split_at(length + 2);
        rest = after;
        Some(etag)
    })
}

fn opaque_tag(etag: &[u8]) -> &[u8] {
    etag.strip_prefix(b"W/").unwrap_or(etag)
}

/// Makes a header value of visible ASCII characters.
fn ascii_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_compared_weakly_in_whole_lists() {
        let etag = HeaderValue::from_static("\"a,b\"");
        for (list, held) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", true),
            ("\"x\", W/\"y\",\"a,b\"", true),
            ("*", true),
            (" * ", true),
            ("\"*\"", false),
            ("\"a\", \"b\"", false),
            ("a,b", false),
            ("\"a,b", false),
            ("", false),
            ("\"x\"\"a,b\"", true),
        ] {
            let request = HeaderMap::from_iter([(IF_NONE_MATCH, list.parse().unwrap())]);
            assert_eq!(matches_if_none_match(&request, &etag), held, "{list}");
            let weak = HeaderValue::from_static("W/\"a,b\"");
            assert_eq!(matches_if_none_match(&request, &weak), held, "{list}");
        }
        assert!(!matches_if_none_match(&HeaderMap::new(), &etag));
    }

    #[test]
    fn each_coding_has_its_own_etag() {
        let rendered =
            || Rendered { body: vec![b'x'; 2_000], meta: ResponseMeta::json(false), cacheable: true };
        let etag = |coding| {
            Representation::new(rendered(), AcceptedCoding { coding, identity_refused: false }, 1_000)
                .unwrap()
                .etag
        };
        assert_eq!(etag(ContentCoding::Gzip), etag(ContentCoding::Gzip));
        assert_ne!(etag(ContentCoding::Gzip), etag(ContentCoding::Zstd));
        assert_ne!(etag(ContentCoding::Gzip), etag(ContentCoding::Identity));
    }
}
