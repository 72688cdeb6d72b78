//! The named fields in the header of a WARC record (WARC 1.1, 4).

use std::borrow::Cow;

use memchr::memchr;

use super::error::SkipReason;

/// Bytes that a version line has at most, with its end.
pub(super) const VERSION_LINE_BYTES: usize = 16;

/// Whether these bytes begin with the version line of a WARC record.
pub(super) fn is_version_line(bytes: &[u8]) -> bool {
    version_line_length(bytes).is_some()
}

/// The length of the version line at the beginning, with its end.
pub(super) fn version_line_length(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"WARC/")?;
    let line = &rest[..memchr(b'\n', &rest[..rest.len().min(VERSION_LINE_BYTES)])?];
    let [b'0' | b'1', b'.', minor @ ..] = line.trim_ascii_end() else { return None };
    (!minor.is_empty() && minor.iter().all(u8::is_ascii_digit)).then_some(5 + line.len() + 1)
}

/// The fields behind the version line: name and value. Folded lines are joined by a blank. Lines without a colon are
/// left out, as other readers do. Bytes that are not UTF-8 are read as Latin-1.
///
/// # Errors
/// [`SkipReason::Header`] when the version line of another record follows, or a line has control characters.
pub(super) fn parse_fields(header: &[u8]) -> Result<Vec<(&str, Cow<'_, str>)>, SkipReason> {
    let mut fields: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(16);
    let mut rest = header;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        let is_odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
        if is_version_line(rest) || line.iter().any(is_odd) {
            return Err(SkipReason::Header);
        }
        rest = after;
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        if let (true, Some((_, value))) = (is_folded, fields.last_mut()) {
            *value = Cow::Owned(format!("{value} {}", text(line.trim_ascii())));
            continue;
        }
        let Some(colon) = memchr(b':', line) else { continue };
        let Ok(name) = std::str::from_utf8(line[..colon].trim_ascii()) else { continue };
        fields.push((name, text(line[colon + 1..].trim_ascii())));
    }
    Ok(fields)
}

/// Text in UTF-8, or else in Latin-1.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// The end of a header: behind its empty line. Bytes before `from` were searched already.
pub(super) fn end_of_header(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(2);
    while let Some(end) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        at += end + 1;
        match &bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_lines_are_recognised() {
        for line in ["WARC/1.0\r\n", "WARC/1.1\nX", "WARC/0.18\r\nWARC-Type: x", "WARC/1.0 \r\n"] {
            assert!(is_version_line(line.as_bytes()), "{line:?}");
        }
        for line in
            ["", "WARC/1.0", "WARC/2.0\r\n", "WARC/1.\r\n", "warc/1.0\r\n", " WARC/1.0\r\n", "WARC/1.0 a\n"]
        {
            assert!(!is_version_line(line.as_bytes()), "{line:?}");
        }
        let long = format!("WARC/1.{}\n", "0".repeat(20));
        assert!(!is_version_line(long.as_bytes()));
    }

    #[test]
    fn fields_of_all_writers_are_parsed() {
        let header = b"A: b\r\nOdd line\r\nC :d \n e\r\n\tf\r\nG:\r\nH: \xe9\r\nI: \xc3\xa9\r\n\r\n";
        let fields = parse_fields(header).unwrap();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        assert_eq!(fields, [("A", "b"), ("C", "d e f"), ("G", ""), ("H", "é"), ("I", "é")]);
        assert_eq!(parse_fields(b"A: b\0WARC/1.0\r\nC: d\r\n\r\n"), Err(SkipReason::Header));
        assert_eq!(parse_fields(b"A: b\r\nWARC/1.0\r\nC: d\r\n\r\n"), Err(SkipReason::Header));
    }

    #[test]
    fn a_header_ends_with_an_empty_line() {
        for (text, end) in [
            ("A: b\r\n\r\nC", Some(8)),
            ("A: b\n\nC", Some(6)),
            ("A: b\r\n\nC", Some(7)),
            ("A: b\r\n\r", None),
            ("", None),
        ] {
            let bytes = text.as_bytes();
            assert_eq!(end_of_header(bytes, 0), end, "{text:?}");
            for from in 0..=end.unwrap_or(bytes.len()).saturating_sub(1) {
                assert_eq!(end_of_header(bytes, from), end, "{text:?} {from}");
            }
        }
    }
}
