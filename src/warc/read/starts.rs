//! Where records begin in decoded bytes.

use memchr::{memchr, memmem};

use super::arc;
use super::fields::{is_version_line, version_line_length};

/// Bytes of an ARC header that are searched for its end, where one may begin.
pub(super) const MAX_ARC_LINE: usize = 4 << 10;

/// Bytes that decide whether a WARC record begins: a version line, and the name of a field.
const MAX_START: usize = 128;

/// The result of a search for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundStart {
    /// A record begins at this index.
    At(usize),
    /// No record begins before this index, and more bytes decide about what follows.
    NotBefore(usize),
}

/// Whether these bytes begin with a record. The header of an ARC record is complete in them.
pub(super) fn is_record_start(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let line = || memchr(b'\n', bytes).map(|end| &bytes[..end]);
    is_version_line(bytes) || line().is_some_and(|line| arc::parse_line(line).is_some())
}

/// Finds the first record. That of a WARC file may begin within a line, because damage may have joined it to the line
/// before; that of an ARC file begins a line. `is_line_start` says whether the bytes do.
pub(super) fn find_start(bytes: &[u8], is_line_start: bool, with_arc: bool) -> FoundStart {
    let warc = find_warc(bytes);
    if !with_arc {
        return warc;
    }
    match (warc, find_arc(bytes, is_line_start)) {
        (FoundStart::At(warc), FoundStart::At(arc)) => FoundStart::At(warc.min(arc)),
        // What precedes the record is not decided yet.
        (FoundStart::At(warc), FoundStart::NotBefore(arc)) if arc < warc => FoundStart::NotBefore(arc),
        (FoundStart::NotBefore(warc), FoundStart::At(arc)) if warc < arc => FoundStart::NotBefore(warc),
        (found @ FoundStart::At(_), _) | (_, found @ FoundStart::At(_)) => found,
        (FoundStart::NotBefore(warc), FoundStart::NotBefore(arc)) => FoundStart::NotBefore(warc.min(arc)),
    }
}

fn find_warc(bytes: &[u8]) -> FoundStart {
    for at in memmem::find_iter(bytes, b"WARC/") {
        let rest = &bytes[at..];
        if rest.len() < MAX_START {
            let may_be = version_line_length(rest).is_none_or(|end| is_field_start(&rest[end..]).is_none());
            if may_be {
                return FoundStart::NotBefore(at);
            }
        }
        let end = version_line_length(rest);
        if end.is_some_and(|end| is_field_start(&rest[end..]) == Some(true)) {
            return FoundStart::At(at);
        }
    }
    // The last bytes may begin one.
    let tail = bytes.len().saturating_sub(b"WARC/".len() - 1);
    let begins = |at: &usize| b"WARC/".starts_with(&bytes[*at..]);
    FoundStart::NotBefore((tail..bytes.len()).find(begins).unwrap_or(bytes.len()))
}

/// Whether a field begins here; `None` when that is not clear yet.
fn is_field_start(bytes: &[u8]) -> Option<bool> {
    let name = bytes.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-'));
    name.map(|end| end > 0 && bytes[end] == b':')
}

fn find_arc(bytes: &[u8], is_line_start: bool) -> FoundStart {
    let mut next = if is_line_start { Some(0) } else { line_after(bytes, 0) };
    while let Some(at) = next {
        let rest = &bytes[at..];
        match memchr(b'\n', &rest[..rest.len().min(MAX_ARC_LINE)]) {
            None if rest.len() < MAX_ARC_LINE => return FoundStart::NotBefore(at),
            Some(end) if arc::parse_line(&rest[..end]).is_some() => return FoundStart::At(at),
            _ => {}
        }
        next = line_after(bytes, at);
    }
    FoundStart::NotBefore(bytes.len())
}

fn line_after(bytes: &[u8], at: usize) -> Option<usize> {
    memchr(b'\n', &bytes[at..]).map(|end| at + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_is_found() {
        let found = |text: &str| find_start(text.as_bytes(), false, false);
        assert_eq!(found("x\nWARC/1.0\r\nA: b"), FoundStart::At(2));
        assert_eq!(found("xWARC/1.0\r\nWARC-Type: x"), FoundStart::At(1));
        assert_eq!(found("x WARC/1.0\r\n\nWARC/1.1\nA:"), FoundStart::At(13));
        assert_eq!(found("x\nWARC/1."), FoundStart::NotBefore(2));
        assert_eq!(found("x\nWARC/1.0\r\nConte"), FoundStart::NotBefore(2));
        assert_eq!(found("x\nWA"), FoundStart::NotBefore(2));
        assert_eq!(found("xyz"), FoundStart::NotBefore(3));
        assert_eq!(found(&format!("WARC/x{}", "y".repeat(MAX_START))), FoundStart::NotBefore(MAX_START + 6));
        let arc = b"x\nhttp://a.test/ 1.2.3.4 20240229123015 text/html 5\nabc";
        assert_eq!(find_start(arc, false, true), FoundStart::At(2));
        assert_eq!(find_start(&arc[..30], false, true), FoundStart::NotBefore(2));
        assert_eq!(find_start(arc, false, false), FoundStart::NotBefore(arc.len()));
        assert_eq!(find_start(&arc[2..], true, true), FoundStart::At(0));
    }
}
