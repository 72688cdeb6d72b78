//! The encoding declared in the first bytes of a document: "prescan a byte stream to determine its encoding" of the
//! HTML standard (<https://html.spec.whatwg.org/multipage/parsing.html>).
//!
//! Meta elements come first, then the encoding of an XML declaration.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::encoding::{encoding_of_label, xml_label};
use crate::sniff::scanner::{End, Scanner, find, is_blank, starts_tag};

/// Length of the prescan in the standard.
const PRESCAN_BYTES: usize = 1024;

/// The encoding declared at the start of a body.
pub(super) fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let bytes = &body[..body.len().min(PRESCAN_BYTES)];
    if bytes.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if bytes.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    Scanner::new(bytes).first_meta().ok().or_else(|| xml_label(bytes).and_then(encoding_of_label))
}

impl Scanner<'_> {
    fn first_meta(&mut self) -> Result<&'static Encoding, End> {
        loop {
            let rest = self.rest()?;
            if rest.starts_with(b"<!--") {
                self.skip_comment()?;
            } else if starts_meta(rest) {
                self.advance(b"<meta".len());
                if let Some(encoding) = self.read_meta()? {
                    return Ok(encoding);
                }
            } else if starts_tag(rest) {
                self.skip_tag_name()?;
                while self.attribute()?.is_some() {}
            } else if matches!(rest, [b'<', b'!' | b'/' | b'?', ..]) {
                self.skip_to(b'>')?;
            }
            self.advance(1);
        }
    }

    /// Reads the attributes of a meta element. Returns the declared encoding, if there is one.
    fn read_meta(&mut self) -> Result<Option<&'static Encoding>, End> {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let (mut got_pragma, mut need_pragma, mut encoding) = (false, None, None);
        while let Some((name, value)) = self.attribute()? {
            let (name, value) =
                (self.bytes(name).to_ascii_lowercase(), self.bytes(value).to_ascii_lowercase());
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => got_pragma = value == b"content-type",
                b"content" if encoding.is_none() => {
                    encoding = encoding_in_content(&value);
                    need_pragma = encoding.map(|_| true).or(need_pragma);
                }
                b"charset" => (encoding, need_pragma) = (encoding_of_label(&value), Some(false)),
                _ => {}
            }
            seen.push(name);
        }
        Ok(match need_pragma {
            Some(true) if !got_pragma => None,
            Some(_) => encoding,
            None => None,
        })
    }
}

/// "Extracting a character encoding from a meta element" of the standard, on a lower-case value.
fn encoding_in_content(value: &[u8]) -> Option<&'static Encoding> {
    let mut rest = value;
    let rest = loop {
        rest = &rest[find(rest, b"charset")? + b"charset".len()..];
        if let Some(label) = rest.trim_ascii_start().strip_prefix(b"=") {
            break label.trim_ascii_start();
        }
    };
    let label = match rest.split_first()? {
        (quote @ (b'"' | b'\''), quoted) => &quoted[..quoted.iter().position(|b| b == quote)?],
        _ => rest.split(|&b| is_blank(b) || b == b';').next()?,
    };
    encoding_of_label(label)
}

fn starts_meta(bytes: &[u8]) -> bool {
    let Some((start, rest)) = bytes.split_at_checked(b"<meta".len()) else { return false };
    start.eq_ignore_ascii_case(b"<meta") && rest.first().is_some_and(|&b| is_blank(b) || b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &str) -> Option<&'static str> {
        declared(body.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn declarations_are_found_where_the_standard_finds_them() {
        for (body, encoding) in [
            ("<meta charset=koi8-r>", Some("KOI8-R")),
            ("<META/CHARSET = 'Shift_JIS' >", Some("Shift_JIS")),
            ("<html lang=de><!-- <meta charset=big5> --><meta charset=\"utf8\">", Some("UTF-8")),
            ("<!--><meta charset=big5>", Some("Big5")),
            ("<!---><meta charset=big5>", Some("Big5")),
            ("<meta charset=utf-16>", Some("UTF-8")),
            ("<meta charset=x-user-defined>", Some("windows-1252")),
            ("<meta charset=none><meta charset=euc-jp>", Some("EUC-JP")),
            ("<meta http-equiv=Content-Type content='text/html; charset=euc-kr'>", Some("EUC-KR")),
            ("<meta content='text/html; charset = \"big5\" ' http-equiv=content-type>", Some("Big5")),
            ("<meta http-equiv=content-type content='charsetcharset=gbk;x'>", Some("GBK")),
            ("<meta content='text/html; charset=euc-kr'>", None),
            ("<meta http-equiv=refresh content='text/html; charset=euc-kr'>", None),
            ("<meta charset=gbk charset=big5>", Some("GBK")),
            ("<metadata charset=gbk>", None),
            ("<a title='<meta charset=gbk>'><meta charset=big5>", Some("Big5")),
            ("<?pi <meta charset=gbk>", None),
            ("</x <meta charset=gbk ><meta charset=big5>", Some("Big5")),
            ("<meta charset=gbk", None),
            ("<?xml version='1.0' encoding=\"iso-8859-2\"?><html>", Some("ISO-8859-2")),
            ("<?xml encoding='iso-8859-2'?><meta charset=koi8-r>", Some("KOI8-R")),
            ("<?xml encoding='iso 8859-2'?>", None),
            (" <?xml encoding='iso-8859-2'?>", None),
            ("<?xml version='1.0'?>", None),
            ("", None),
            ("<", None),
        ] {
            assert_eq!(name(body), encoding, "{body}");
        }
        assert_eq!(declared(b"<\0?\0x\0m\0l\0"), Some(UTF_16LE));
        assert_eq!(declared(b"\0<\0?\0x\0m\0l"), Some(UTF_16BE));
    }

    #[test]
    fn the_search_ends_after_1024_bytes() {
        let declaration = "<meta charset=big5>";
        let near = format!("{}{declaration}", " ".repeat(1024 - declaration.len()));
        assert_eq!(name(&near), Some("Big5"));
        assert_eq!(name(&format!(" {near}")), None);
    }
}
