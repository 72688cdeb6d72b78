//! An answer as it is sent: bytes in a format and a coding, with their entity tag, and what becomes of it when the
//! client has it already (RFC 9110, sections 8.8.3 and 13.1.2).
//!
//! The tag of a whole answer is strong: it is made of the very bytes sent, so that codings and formats have tags of
//! their own, and of what headers tell beside them, so that an empty list tells when there is something new to say. A streamed answer is not known to its end when its tag is sent; its tag is weak and names the state of
//! the index it was begun at. One that another state or the day may show in has none.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::admission::Reservation;
use super::compress::compressed;
use super::negotiate::{Coding, Format, Wish};

/// An answer before it is put into bytes for a client: what the endpoint made.
#[derive(Debug)]
pub struct Content {
    pub body: Vec<u8>,
    pub about: About,
    /// Whether the same request is answered the same as long as nothing is stored.
    pub lasting: bool,
}

/// What headers tell of an answer.
#[derive(Clone, Debug)]
pub struct About {
    pub format: Format,
    /// Whether the format was up to `Accept`.
    pub by_accept: bool,
    /// What JSON tells beside the rows, where there is no JSON.
    pub beside: Vec<(HeaderName, HeaderValue)>,
}

/// The bytes of an answer with their headers.
#[derive(Debug)]
pub struct Representation {
    body: Bytes,
    coding: Coding,
    about: About,
    tag: HeaderValue,
}

/// Bytes that count in the memory of answers for as long as a part of them is held anywhere.
struct Counted {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Representation {
    /// Puts an answer into the coding wished for, if it is at least `compress_min` bytes long.
    ///
    /// # Errors
    /// When the system has no memory to compress.
    pub fn new(content: Content, wish: Wish, compress_min: usize) -> io::Result<Self> {
        Self::of(content.body.into(), content.about, wish, compress_min)
    }

    /// The same answer, uncompressed so far, for a client with this wish.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn recoded(&self, wish: Wish, compress_min: usize) -> io::Result<Self> {
        Self::of(self.body.clone(), self.about.clone(), wish, compress_min)
    }

    fn of(body: Bytes, about: About, wish: Wish, compress_min: usize) -> io::Result<Self> {
        let coding = if body.len() >= compress_min || wish.always { wish.coding } else { Coding::Identity };
        let body = match coding {
            Coding::Identity => body,
            _ => compressed(&body, coding)?.into(),
        };
        let tag = header(&format!("\"{:032x}\"", about.digest(&body)));
        Ok(Self { body, coding, about, tag })
    }

    /// Counts it in the memory of answers from now on, until nobody holds any of its bytes.
    pub fn counted(self, reservation: Reservation) -> Self {
        let body = Bytes::from_owner(Counted { bytes: self.body, _reservation: reservation });
        Self { body, ..self }
    }

    /// Bytes of the body.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// The response to a GET or HEAD with these headers.
    pub fn response(&self, request: &HeaderMap) -> Response<Bytes> {
        if holds(request, &self.tag) {
            return not_modified(&self.about, &self.tag);
        }
        let mut response = self.untagged();
        response.headers_mut().insert(ETAG, self.tag.clone());
        response
    }

    /// The response to any other method, of which there is nothing to compare later.
    pub fn untagged(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        self.about.write(self.coding, response.headers_mut());
        response
    }
}

impl About {
    /// An answer in JSON that tells everything itself.
    pub fn json(by_accept: bool) -> Self {
        Self { format: Format::Json, by_accept, beside: Vec::new() }
    }

    /// Writes the headers.
    pub fn write(&self, coding: Coding, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, self.format.content_type());
        if let Some(coding) = coding.content_encoding() {
            headers.insert(CONTENT_ENCODING, coding);
        }
        headers.insert(VARY, self.vary());
        headers.extend(self.beside.iter().cloned());
    }

    /// A hash of the bytes of a body and of what headers tell beside it.
    fn digest(&self, body: &[u8]) -> u128 {
        if self.beside.is_empty() {
            return xxh3_128(body);
        }
        let mut digest = Xxh3Default::new();
        digest.update(body);
        for (name, value) in &self.beside {
            digest.update(name.as_str().as_bytes());
            digest.update(value.as_bytes());
        }
        digest.digest128()
    }

    fn vary(&self) -> HeaderValue {
        HeaderValue::from_static(if self.by_accept { "Accept-Encoding, Accept" } else { "Accept-Encoding" })
    }
}

/// The weak tag of an answer that is streamed.
pub fn weak_tag(process: u64, change_number: u64, format: Format, coding: Coding) -> HeaderValue {
    header(&format!("W/\"{process:016x}-{change_number:x}-{format:?}-{coding:?}\""))
}

/// The response that says: what you have is still right. It has the headers of the answer that caches need (RFC
/// 9110, section 15.4.5).
pub fn not_modified<B: Default>(about: &About, tag: &HeaderValue) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, tag.clone());
    response.headers_mut().insert(VARY, about.vary());
    response
}

/// Whether `If-None-Match` names this tag, by the weak comparison, or any tag at all.
pub fn holds(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = opaque(tag.as_bytes());
    let values = request.get_all(IF_NONE_MATCH).into_iter();
    values
        .map(HeaderValue::as_bytes)
        .any(|list| list.trim_ascii() == b"*" || tags(list).any(|known| known == tag))
}

/// The tags of a list without their marks of weakness. A comma may stand inside a tag.
fn tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|&b| b == b'"')?;
        let length = rest[start + 1..].iter().position(|&b| b == b'"')?;
        let (tag, after) = rest[start..].split_at(length + 2);
        rest = after;
        Some(tag)
    })
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// A header value of visible ASCII characters.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_lists_read_to_their_end() {
        let tag = HeaderValue::from_static("\"a,b\"");
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
            assert_eq!(holds(&request, &tag), held, "{list}");
            let weak = HeaderValue::from_static("W/\"a,b\"");
            assert_eq!(holds(&request, &weak), held, "{list}");
        }
        assert!(!holds(&HeaderMap::new(), &tag));
    }

    #[test]
    fn codings_have_tags_of_their_own() {
        let content = || Content { body: vec![b'x'; 2_000], about: About::json(false), lasting: true };
        let tag = |coding| Representation::new(content(), Wish { coding, always: false }, 1_000).unwrap().tag;
        assert_eq!(tag(Coding::Gzip), tag(Coding::Gzip));
        assert_ne!(tag(Coding::Gzip), tag(Coding::Zstd));
        assert_ne!(tag(Coding::Gzip), tag(Coding::Identity));
    }
}
