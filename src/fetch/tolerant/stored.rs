//! HTTP responses that are stored as they were on the wire.

use bytes::Bytes;
use http::Version;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::chunks::ChunkDecoder;
use super::head;
use crate::model::Cut;

/// A stored response.
pub(in crate::fetch) struct StoredMessage {
    pub status: u16,
    pub version: Version,
    pub headers: HeaderMap,
    /// Without the chunked coding.
    pub body: Bytes,
    /// Why the end of the body is missing in the chunked coding.
    pub cut: Option<Cut>,
    /// Number of header fields dropped beyond the maximum.
    pub dropped_headers: usize,
}

/// Parses a response; `None` when it has no status line. A head without an end is whole, and its body empty.
pub(in crate::fetch) fn parse_message(message: &Bytes, max_headers: usize) -> Option<StoredMessage> {
    let mut rest = message.clone();
    loop {
        let end = head::end_of_head(&rest).unwrap_or(rest.len());
        let bytes = rest.split_to(end);
        let mut lines = bytes.split(|&byte| byte == b'\n').map(head::trim_carriage_returns);
        let first = lines.find(|line| !line.is_empty())?;
        let status = head::status(first)?;
        if (100..=199).contains(&status) && status != 101 && !rest.is_empty() {
            continue;
        }
        let mut fields = head::header_fields(lines);
        let is_chunked = head::take_chunked(&mut fields);
        let dropped_headers = head::drop_fields(&mut fields, max_headers);
        let mut headers = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields {
            let (name, value) = (HeaderName::from_bytes(&name), HeaderValue::from_bytes(&value));
            if let (Ok(name), Ok(value)) = (name, value) {
                // A map that is full has more fields than any limit allows.
                _ = headers.try_append(name, value);
            }
        }
        let unchunked = if is_chunked { remove_chunks(&rest) } else { None };
        let (body, cut) = unchunked.unwrap_or((rest, None));
        let version = version(first.trim_ascii_start());
        return Some(StoredMessage { status, version, headers, body, cut, dropped_headers });
    }
}

fn version(status_line: &[u8]) -> Version {
    match status_line.get(5..8) {
        Some(b"1.0") => Version::HTTP_10,
        Some([b'2', ..]) => Version::HTTP_2,
        Some([b'3', ..]) => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

/// Removes the chunked coding. `None` when the first chunk is none: the archive holds the body without it, but kept the
/// header, as many do. A body that is damaged later is cut there, as on the wire.
fn remove_chunks(body: &Bytes) -> Option<(Bytes, Option<Cut>)> {
    let (mut decoder, mut coded, mut pieces) = (ChunkDecoder::default(), body.clone(), Vec::new());
    let cut = loop {
        match decoder.decode(&mut coded) {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) if decoder.is_at_end() => break None,
            Ok(None) if body.is_empty() => return None,
            Err(_) if pieces.len() < 2 => return None,
            Ok(None) | Err(_) => break Some(Cut::Disconnect),
        }
    };
    let body = match &pieces[..] {
        [piece] => piece.clone(),
        _ => pieces.concat().into(),
    };
    Some((body, cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u16, usize, String, Option<Cut>)> {
        let message = parse_message(&Bytes::copy_from_slice(text.as_bytes()), 10)?;
        let body = String::from_utf8(message.body.to_vec()).unwrap();
        Some((message.status, message.headers.len(), body, message.cut))
    }

    #[test]
    fn stored_responses_are_parsed() {
        let of = |status, fields, body: &str| Some((status, fields, body.to_owned(), None));
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", of(200, 1, "body")),
            ("HTTP/1.0 404\nA: b\nA: c\n\nbody\n\n", of(404, 2, "body\n\n")),
            ("HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200\r\n\r\nx", of(200, 0, "x")),
            ("HTTP/1.1 100 Go on\r\nA: b", of(100, 1, "")),
            ("HTTP/1.1 304 Not Modified\r\nA: b\r\n", of(304, 1, "")),
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                of(200, 0, "abc"),
            ),
            ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", of(200, 0, "abc")),
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n<p>not chunked",
                of(200, 0, "<p>not chunked"),
            ),
            ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nab\ncdefg", of(200, 0, "cdefg")),
            ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\nabcdef", of(200, 0, "1\nabcdef")),
            ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", of(200, 0, "")),
            ("GET / HTTP/1.1\r\n\r\n", None),
            ("<html>", None),
            ("", None),
        ] {
            let mut expected = expected;
            if text.ends_with("cdefg") {
                expected = expected.map(|found| (found.0, found.1, found.2, Some(Cut::Disconnect)));
            }
            assert_eq!(parsed(text), expected, "{text:?}");
        }
        let cut =
            parsed("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\nzz").unwrap();
        assert_eq!((cut.2.as_str(), cut.3), ("abc", Some(Cut::Disconnect)));
    }
}
