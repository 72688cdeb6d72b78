//! Detects the encoding of a text from its first bytes: by NUL bytes, or by an XML declaration.
//!
//! Pure functions on the start of a text. A byte order mark has priority over both: see [`Encoding::for_bom`]. The
//! caller decides on the order of the sources.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::memmem::find;

/// The UTF-16 encoding of a text without a byte order mark, if its first character is ASCII (XML 1.0, appendix F:
/// every second byte is NUL).
pub fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match *bytes {
        // Four-byte characters have three NUL bytes in a row.
        [_, 0, 0, 0, ..] => None,
        [first, 0, ..] if is_text(first) => Some(UTF_16LE),
        [0, first, ..] if is_text(first) => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding label in an XML declaration at the start of a text ("get an XML encoding" of the HTML standard).
pub fn xml_label(bytes: &[u8]) -> Option<&[u8]> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.iter().position(|&b| b == b'>')?];
    let rest = &declaration[find(declaration, b"encoding")? + b"encoding".len()..];
    let rest = skip_controls(skip_controls(rest).strip_prefix(b"=")?);
    let (quote, rest) = rest.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let label = &rest[..rest.iter().position(|b| b == quote)?];
    (!label.iter().any(|&b| b <= b' ')).then_some(label)
}

/// The encoding for a label in the markup of a text. If the label is readable as ASCII, the text is not UTF-16.
pub fn encoding_of_label(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label)?;
    Some(match encoding {
        e if e == UTF_16LE || e == UTF_16BE => UTF_8,
        e if e == X_USER_DEFINED => WINDOWS_1252,
        other => other,
    })
}

fn skip_controls(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|&b| b > b' ').unwrap_or(bytes.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_bytes_reveal_utf_16() {
        for (bytes, encoding) in [
            (&b"<\0?\0"[..], Some(UTF_16LE)),
            (b"\0<\0?", Some(UTF_16BE)),
            (b"h\0", Some(UTF_16LE)),
            (b"\0\nh\0", Some(UTF_16BE)),
            (b"<\0\0\0", None),
            (b"\0\0\0<", None),
            (b"<?", None),
            (b"\x01\0\x02\0", None),
            (b"<", None),
            (b"", None),
        ] {
            assert_eq!(unmarked_utf_16(bytes), encoding, "{bytes:?}");
        }
    }

    #[test]
    fn xml_declaration_labels_are_parsed() {
        for (text, label) in [
            ("<?xml version='1.0' encoding=\"iso-8859-2\"?>", Some("iso-8859-2")),
            ("<?xml version=\"1.0\"\rencoding\t=\n'KOI8-R'?><a>", Some("KOI8-R")),
            ("<?xml version='1.0'?><a encoding='big5'>", None),
            ("<?xml encoding='iso 8859-2'?>", None),
            ("<?xml encoding='big5", None),
            (" <?xml encoding='big5'?>", None),
        ] {
            assert_eq!(xml_label(text.as_bytes()), label.map(str::as_bytes), "{text}");
        }
    }
}
