//! Rewrites the head of an HTTP/1 response into the form of RFC 9112.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::HeaderName;

use super::{MAX_EXTRA_FIELDS, is_read};

/// A head in the form of RFC 9112, and the bytes behind it.
pub(super) struct RewrittenHead {
    pub head: Vec<u8>,
    pub rest: Vec<u8>,
    pub is_chunked: bool,
}

/// The final head, rewritten; `None` while it is incomplete. Interim responses are removed.
pub(super) fn rewrite_head(
    bytes: &mut Vec<u8>,
    max_headers: usize,
    dropped: &AtomicUsize,
) -> Option<RewrittenHead> {
    loop {
        let end = end_of_head(bytes)?;
        let mut lines = bytes[..end].split(|&b| b == b'\n').map(trim_carriage_returns);
        let Some(status) = lines.find(|line| !line.is_empty()).and_then(status) else {
            return Some(RewrittenHead { head: std::mem::take(bytes), rest: Vec::new(), is_chunked: false });
        };
        if (100..=199).contains(&status) && status != 101 {
            bytes.drain(..end);
            continue;
        }
        let mut fields = header_fields(lines);
        let is_chunked = take_chunked(&mut fields);
        let mut head = format!("HTTP/1.1 {status:03}\r\n").into_bytes();
        dropped.fetch_add(drop_fields(&mut fields, max_headers), Ordering::Relaxed);
        for (name, value) in fields {
            head.extend([&name, &b": "[..], &value, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        return Some(RewrittenHead { head, rest: bytes[end..].to_vec(), is_chunked });
    }
}

/// Drops the fields beyond `max_headers`, unless the crawl reads them. Returns their number.
pub(super) fn drop_fields(fields: &mut Vec<HeaderField>, max_headers: usize) -> usize {
    let (before, mut kept) = (fields.len(), 0);
    fields.retain(|(name, _)| {
        let has_room =
            kept < max_headers || (is_read(name) && kept < max_headers.saturating_add(MAX_EXTRA_FIELDS));
        kept += usize::from(has_room);
        has_room
    });
    before - fields.len()
}

/// The end of a head: behind the first empty line that follows another line.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    let mut line_start = start;
    while let Some(length) = bytes[line_start..].iter().position(|&b| b == b'\n') {
        let line = &bytes[line_start..line_start + length];
        line_start += length + 1;
        if trim_carriage_returns(line).is_empty() {
            return Some(line_start);
        }
    }
    None
}

/// A line without the carriage returns at its end.
pub(super) fn trim_carriage_returns(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|&b| b != b'\r').map_or(0, |last| last + 1);
    &line[..end]
}

/// The status in a status line of any case and spacing.
pub(super) fn status(line: &[u8]) -> Option<u16> {
    let line = line.trim_ascii_start();
    let version = line.get(..5).filter(|version| version.eq_ignore_ascii_case(b"HTTP/"))?.len();
    let blank = line.iter().position(|b| matches!(b, b' ' | b'\t')).filter(|&blank| blank > version)?;
    let rest = line[blank..].trim_ascii_start();
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let ends = rest.get(3).is_none_or(|next| !next.is_ascii_digit());
    let status = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    (ends && status >= 100).then_some(status)
}

pub(super) type HeaderField = (Vec<u8>, Vec<u8>);

pub(super) fn header_fields<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<HeaderField> {
    let mut fields: Vec<HeaderField> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if let (true, Some((_, value))) = (line[0].is_ascii_whitespace(), fields.last_mut()) {
            value.push(b' ');
            value.extend(field_value(line));
            continue;
        }
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let name = line[..colon].trim_ascii();
        if HeaderName::from_bytes(name).is_ok() {
            fields.push((name.to_vec(), field_value(&line[colon + 1..])));
        }
    }
    if !has_usable_length(&fields) {
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
    }
    fields
}

/// Removes the chunked coding from the fields that name it, and `Content-Length` with it (RFC 9112, 6.3). Returns
/// whether there was one.
pub(super) fn take_chunked(fields: &mut Vec<HeaderField>) -> bool {
    let mut is_chunked = false;
    for (_, value) in fields.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding")) {
        let codings = value.split(|&b| b == b',').map(<[u8]>::trim_ascii);
        let (chunked, others): (Vec<&[u8]>, Vec<&[u8]>) = codings
            .filter(|coding| !coding.is_empty())
            .partition(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        is_chunked |= !chunked.is_empty();
        *value = others.join(&b", "[..]);
    }
    if is_chunked {
        fields.retain(|(name, value)| {
            let is_coding = name.eq_ignore_ascii_case(b"transfer-encoding");
            !(name.eq_ignore_ascii_case(b"content-length") || is_coding && value.is_empty())
        });
    }
    is_chunked
}

fn field_value(bytes: &[u8]) -> Vec<u8> {
    let is_control = |b: &u8| (*b < b' ' && *b != b'\t') || *b == 0x7f;
    bytes.trim_ascii().iter().map(|b| if is_control(b) { b' ' } else { *b }).collect()
}

/// Whether all `Content-Length` fields are the same number.
fn has_usable_length(fields: &[HeaderField]) -> bool {
    let lengths = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let mut numbers = lengths.flat_map(|(_, value)| value.split(|&b| b == b',')).map(|number| {
        let digits = number.trim_ascii();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok().filter(|_| is_number).and_then(|digits| digits.parse::<u64>().ok())
    });
    let Some(first) = numbers.next() else { return true };
    first.is_some() && numbers.all(|number| number == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(head: &str, max_headers: usize) -> (Option<String>, usize) {
        let dropped = AtomicUsize::new(0);
        let rewritten = rewrite_head(&mut head.as_bytes().to_vec(), max_headers, &dropped);
        let whole = |RewrittenHead { head, rest, .. }| String::from_utf8([head, rest].concat()).unwrap();
        (rewritten.map(whole), dropped.into_inner())
    }

    #[test]
    fn heads_are_rewritten_to_the_standard_form() {
        for (head, form) in [
            ("HTTP/1.1  200  OK\r\nA: b\r\n\r\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            ("http/1.1 200 OK\nA: b\n\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            ("\r\nHTTP/1.0\t404\r\n\r\n", "HTTP/1.1 404\r\n\r\n"),
            ("HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            (
                "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 200\r\n\r\n",
                "HTTP/1.1 200\r\n\r\n",
            ),
            ("HTTP/1.1 200 OK\r\nA : b\r\n c\r\nnone\r\nb@d: x\r\n\r\n", "HTTP/1.1 200\r\nA: b c\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
                "HTTP/1.1 200\r\nContent-Length: 5, 5\r\n\r\n",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\r\nA: b\r\r\n\r\r\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            (
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, Chunked,\r\nContent-Length: 5\r\n\r\n4",
                "HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n4",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            ("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n"),
        ] {
            assert_eq!(rewritten(head, 10), (Some(form.to_owned()), 0), "{head:?}");
        }
        assert_eq!(rewritten("HTTP/1.1 200 OK\r\nA: b\r\n", 10), (None, 0));
        assert_eq!(rewritten("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200", 10), (None, 0));
    }

    #[test]
    fn fields_beyond_the_limit_are_dropped_unless_the_crawl_reads_them() {
        let head = "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nContent-Type: text/html\r\n\r\nx";
        let kept = "HTTP/1.1 200\r\nA: 1\r\nB: 2\r\nContent-Type: text/html\r\n\r\nx";
        assert_eq!(rewritten(head, 2), (Some(kept.to_owned()), 2));
    }
}
