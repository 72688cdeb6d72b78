//! Whether an XML document is XHTML, by its root element.
//!
//! The root may follow a byte order mark, the XML declaration, comments, processing instructions and the document
//! type with its internal subset. It is HTML when its local name is `html` and its namespace is XHTML's, or none. The
//! document is not parsed, so a text that is not well-formed XML may count as HTML.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::scanner::{End, Scanner, find, is_blank};
use crate::encoding::unmarked_utf_16;

/// The start tag of the root must end within these bytes. A declaration and a licence at most precede it; a feed or
/// an image has another root or none.
const PROLOG_BYTES: usize = 8 << 10;

const XHTML: &[u8] = b"http://www.w3.org/1999/xhtml";

/// Whether the root of a document is `html`, by its start; `None` when the start is too short to decide.
pub(super) fn is_html(body: &[u8]) -> Option<bool> {
    let start = &body[..body.len().min(PROLOG_BYTES)];
    match Scanner::new(&to_ascii_markup(start)).root_is_html() {
        Ok(found) => Some(found),
        Err(End) => (body.len() >= PROLOG_BYTES).then_some(false),
    }
}

/// The text with its markup as ASCII bytes, without a byte order mark.
fn to_ascii_markup(text: &[u8]) -> Cow<'_, [u8]> {
    let (marked, mark) = Encoding::for_bom(text).unzip();
    let encoding = marked.or_else(|| unmarked_utf_16(text));
    match encoding.filter(|&encoding| encoding == UTF_16LE || encoding == UTF_16BE) {
        Some(utf_16) => Cow::Owned(utf_16.decode_with_bom_removal(text).0.into_owned().into_bytes()),
        None => Cow::Borrowed(&text[mark.unwrap_or(0)..]),
    }
}

impl Scanner<'_> {
    fn root_is_html(&mut self) -> Result<bool, End> {
        loop {
            self.skip_until(|b| !is_blank(b))?;
            let rest = self.rest()?;
            if !rest.starts_with(b"<") {
                return Ok(false);
            }
            // Every construct ends with this byte.
            memchr::memchr(b'>', rest).ok_or(End)?;
            if rest.starts_with(b"<?") {
                self.advance(find(rest, b"?>").ok_or(End)? + b"?>".len());
            } else if rest.starts_with(b"<!--") {
                self.skip_comment()?;
                self.advance(b">".len());
            } else if rest.starts_with(b"<!DOCTYPE") {
                self.skip_document_type()?;
            } else {
                return self.element_is_html();
            }
        }
    }

    /// Skips a document type. Quoted texts, comments and processing instructions may contain anything, and so may the
    /// internal subset in brackets.
    fn skip_document_type(&mut self) -> Result<(), End> {
        let mut in_subset = false;
        self.advance(b"<!DOCTYPE".len());
        loop {
            self.skip_until(|b| matches!(b, b'"' | b'\'' | b'[' | b']' | b'<' | b'>'))?;
            let rest = self.rest()?;
            let length = match rest {
                [quote @ (b'"' | b'\''), text @ ..] => memchr::memchr(*quote, text).ok_or(End)? + 2,
                [b'<', b'!', b'-', b'-', ..] => find(&rest[4..], b"-->").ok_or(End)? + 7,
                [b'<', b'?', ..] => find(rest, b"?>").ok_or(End)? + 2,
                _ => 1,
            };
            self.advance(length);
            match rest[0] {
                b'[' => in_subset = true,
                b']' => in_subset = false,
                b'>' if !in_subset => return Ok(()),
                _ => {}
            }
        }
    }

    fn element_is_html(&mut self) -> Result<bool, End> {
        self.advance(b"<".len());
        let name = self.tag_name()?;
        let name = self.bytes(name);
        let (prefix, local) = match name.iter().position(|&b| b == b':') {
            Some(colon) => (&name[..colon], &name[colon + 1..]),
            None => (&b""[..], name),
        };
        if local != b"html" {
            return Ok(false);
        }
        let declaration = if prefix.is_empty() { b"xmlns".to_vec() } else { [b"xmlns:", prefix].concat() };
        while let Some((name, value)) = self.attribute()? {
            if self.bytes(name) == declaration {
                let namespace = self.bytes(value);
                return Ok(namespace.is_empty() || namespace == XHTML);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [(&str, bool); 22] = [
        ("<html>", true),
        ("<html/>", true),
        (
            "<?xml version='1.0' encoding='utf-8'?>\r\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang='de'>",
            true,
        ),
        ("<?xml version='1.0'?><?xml-stylesheet href='>'?><!-- <feed> --><html xmlns=''>", true),
        ("<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://x/>.dtd\"><html>", true),
        ("<!DOCTYPE html [<!ENTITY a \"]>\"><!-- ' ]> --><?x ' ]>?><!ELEMENT a (b)>]>\n<html>", true),
        ("<x:html xmlns:x='http://www.w3.org/1999/xhtml' xmlns='http://other.example/'>", true),
        ("<!DOCTYPE html><html lang=en>", true),
        ("<!-- <html> --><rss version='2.0'>", false),
        ("<!DOCTYPE html><feed>", false),
        ("<!DOCTYPE html [<!-- --><html>]><svg>", false),
        ("<svg xmlns='http://www.w3.org/2000/svg'><html>", false),
        ("<urlset><html>", false),
        ("<html xmlns='http://other.example/'>", false),
        ("<x:html xmlns:x='http://other.example/' xmlns='http://www.w3.org/1999/xhtml'>", false),
        ("<HTML>", false),
        ("<htmlx>", false),
        ("<html:p>", false),
        ("<![CDATA[<html>]]>", false),
        ("</html>", false),
        ("text <html>", false),
        ("<?xml version='1.0'?>x<html>", false),
    ];

    #[test]
    fn the_root_decides_in_any_encoding() {
        for (text, html) in BOTH {
            let utf_16 = |unit: fn(u16) -> [u8; 2], text: &str| {
                text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
            };
            assert_eq!(is_html(text.as_bytes()), Some(html), "{text}");
            for start in ["", "\n \r\n", "\u{feff}", "\u{feff}\n"] {
                let text = format!("{start}{text}");
                assert_eq!(is_html(text.as_bytes()), Some(html), "{text:?}");
                assert_eq!(is_html(&utf_16(u16::to_le_bytes, &text)), Some(html), "{text:?} LE");
                assert_eq!(is_html(&utf_16(u16::to_be_bytes, &text)), Some(html), "{text:?} BE");
            }
        }
    }

    #[test]
    fn a_truncated_root_is_undecided() {
        for (text, html) in BOTH.into_iter().filter(|(text, _)| text.starts_with('<')) {
            let end = (0..text.len()).find(|&end| is_html(&text.as_bytes()[..end]).is_some());
            let end = end.unwrap_or(text.len());
            for length in end..=text.len() {
                assert_eq!(is_html(&text.as_bytes()[..length]), Some(html), "{}", &text[..length]);
            }
        }
        assert_eq!(is_html(b""), None);
        assert_eq!(is_html(b"<?xml version='1.0'?><html xmlns='http://www.w3"), None);
    }

    #[test]
    fn a_missing_root_is_given_up_after_the_limit() {
        let after = |length: usize| format!("<!--{}--><html>", "x".repeat(length - b"<!----><html>".len()));
        assert_eq!(is_html(after(PROLOG_BYTES).as_bytes()), Some(true));
        assert_eq!(is_html(after(PROLOG_BYTES + 1).as_bytes()), Some(false));
        assert_eq!(is_html(&[b' '; PROLOG_BYTES - 1]), None);
        assert_eq!(is_html(&[b' '; PROLOG_BYTES]), Some(false));
    }
}
