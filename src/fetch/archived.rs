//! Responses from archives.
//!
//! An archive holds the bytes of a response, but not always as they were received. These rules decide:
//!
//! * The chunked coding is removed if the header names it and the body begins with a chunk. Otherwise the archive
//!   removed it before, and kept the header. warcio and FastWARC decide the same.
//! * Content encodings stay on ([`Response::decode`]), and so do those of `X-Crawler-Transfer-Encoding`, which a crawl
//!   of this program leaves on. A body that is plain text in spite of them was decoded before: then they are ignored.
//!   Text has none of the bytes that make a resource binary (WHATWG MIME Sniffing, 4). A compressed body of 256 bytes
//!   has such a byte, except once in a million million times. A shorter body must also fail to decode.
//! * An archive of this program holds each body as it was received, so none of its encodings are ignored.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::HeaderName;

use super::decode::{self, ContentEncoding};
use super::response::Response;
use super::tolerant::{StoredMessage, parse_message};
use crate::model::Cut;

/// Bytes that show whether a body is text.
const SAMPLE_BYTES: usize = 1 << 10;
/// Length from which text is not tried as an encoded body.
const CERTAIN_BYTES: usize = 256;
/// Bytes that a short body is decoded to.
const TRIAL_BYTES: usize = 64 << 10;

/// An HTTP response in an archive.
#[derive(Clone, Debug)]
pub struct ArchivedMessage {
    /// Its bytes, from the status line on.
    pub bytes: Bytes,
    /// The address of the server.
    pub ip: IpAddr,
    /// Why the end of the bytes is missing.
    pub cut: Option<Cut>,
    /// Whether the archive says that something is missing, but not why.
    pub is_truncated: bool,
    /// Whether the archive holds the body as it was received: see the head of this file.
    pub is_as_received: bool,
}

/// The bytes are no HTTP response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block is no HTTP response")]
pub struct NotHttp;

impl Response {
    /// A response as if it had just been received. Header fields beyond `max_headers` are dropped, unless the crawl
    /// reads them.
    ///
    /// # Errors
    /// [`NotHttp`] when there is no status line.
    pub fn from_archive(message: ArchivedMessage, max_headers: usize) -> Result<Self, NotHttp> {
        let ArchivedMessage { bytes, ip, cut, is_truncated, is_as_received } = message;
        let stored = parse_message(&bytes, max_headers).ok_or(NotHttp)?;
        let StoredMessage { status, version, headers, body, cut: chunk_cut, dropped_headers } = stored;
        let mut response = Self::new(status, version, headers, ip);
        let transfer = response.headers.get_all(HeaderName::from_static("x-crawler-transfer-encoding"));
        let transfer: Vec<&str> = transfer.iter().filter_map(|value| value.to_str().ok()).collect();
        let transfer = ContentEncoding::list(transfer);
        response.content_encoding.extend(transfer);
        response.body = body;
        response.dropped_headers = dropped_headers;
        response.cut = cut.or(chunk_cut);
        if !is_as_received && is_decoded(&response.content_encoding, &response.body) {
            response.content_encoding.clear();
        }
        response.unread = is_truncated && response.body.is_empty();
        // The end of an encoding shows whether an encoded body is whole.
        if is_truncated && !response.body.is_empty() && response.content_encoding.is_empty() {
            response.cut = response.cut.or(Some(Cut::Disconnect));
        }
        Ok(response)
    }
}

/// Whether a body does not have the encodings that its header names.
fn is_decoded(encodings: &[ContentEncoding], body: &Bytes) -> bool {
    if encodings.is_empty() || body.is_empty() || !is_text(body) {
        return false;
    }
    let is_encoded = || {
        let decoded = decode::decode(encodings, body, None, TRIAL_BYTES);
        decoded.is_ok_and(|decoded| decoded.cut != Some(Cut::Encoding))
    };
    body.len() >= CERTAIN_BYTES || !is_encoded()
}

/// Whether the beginning of a body has no byte that makes it binary. zstd's beginning has none, but is none of text.
fn is_text(body: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    let sample = &body[..body.len().min(SAMPLE_BYTES)];
    !sample.starts_with(b"\x28\xb5\x2f\xfd") && !sample.iter().any(is_binary)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::Ipv4Addr;

    use super::*;

    fn response(head: &str, body: &[u8], is_as_received: bool) -> Response {
        let bytes = [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), body].concat().into();
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let message = ArchivedMessage { bytes, ip, cut: None, is_truncated: false, is_as_received };
        Response::from_archive(message, 100).unwrap()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_are_decoded_unless_the_archive_did_so() {
        let page = "<p>a page</p>".repeat(100).into_bytes();
        let brotli = {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 5, 20).write_all(&page).unwrap();
            out
        };
        let zstd = zstd::encode_all(&page[..], 3).unwrap();
        for (coding, body) in [("gzip", &gzip(&page)), ("br", &brotli), ("zstd", &zstd)] {
            for (body, is_coded) in [(body, true), (&page, false)] {
                let response = response(&format!("Content-Encoding: {coding}\r\n"), body, false);
                assert_eq!(response.content_encoding.is_empty(), !is_coded, "{coding}");
                assert_eq!(response.decode(1 << 20).unwrap().bytes, page, "{coding}");
            }
        }
        let short = response("Content-Encoding: br\r\n", b"<p>", false);
        assert_eq!(short.decode(1 << 20).unwrap().bytes, "<p>");
        let own = response("Content-Encoding: gzip\r\n", &page, true);
        assert!(own.decode(1 << 20).is_err());
        let own = response("x-crawler-transfer-encoding: gzip, chunked\r\n", &gzip(&page), true);
        assert_eq!(own.decode(1 << 20).unwrap().bytes, page);
    }

    #[test]
    fn truncated_bodies_are_marked() {
        let message = |body: &str, is_truncated| ArchivedMessage {
            bytes: format!("HTTP/1.1 200 OK\r\n\r\n{body}").into(),
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            cut: None,
            is_truncated,
            is_as_received: false,
        };
        for (body, is_truncated, cut, unread) in [
            ("x", false, None, false),
            ("x", true, Some(Cut::Disconnect), false),
            ("", true, None, true),
            ("", false, None, false),
        ] {
            let response = Response::from_archive(message(body, is_truncated), 100).unwrap();
            assert_eq!((response.cut, response.unread), (cut, unread), "{body} {is_truncated}");
        }
        let no_response = ArchivedMessage { bytes: "GET / HTTP/1.1\r\n\r\n".into(), ..message("", false) };
        assert_eq!(Response::from_archive(no_response, 100), Err(NotHttp));
    }
}
