//! The encoding of a document, by the "encoding sniffing algorithm" of the HTML standard.
//!
//! The sources, in order: byte order mark, HTTP header, the declaration in the document ([`super::prescan`]), and a
//! guess. In a document with an XML type, the XML declaration comes before any `meta`.
//!
//! The guess is UTF-8 for valid UTF-8, which includes plain ASCII. Otherwise chardetng guesses from a bounded sample
//! that starts near the first non-ASCII byte, and from the top-level domain of the host.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::prescan;
use crate::config::ParseConfig;
use crate::encoding::{encoding_of_label, unmarked_utf_16, xml_label};
use crate::model::MediaType;
use crate::urls::is_ip_literal;

/// ASCII bytes before the first non-ASCII byte that the detector gets as context.
const CONTEXT_BYTES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DetectedEncoding {
    pub encoding: &'static Encoding,
    /// Whether a byte order mark or the HTTP header decides. A later `meta` then changes nothing.
    pub certain: bool,
}

pub(crate) fn detect(
    body: &[u8],
    media_type: Option<&MediaType>,
    host: &str,
    config: &ParseConfig,
) -> DetectedEncoding {
    let from_header = || {
        let label = media_type.and_then(MediaType::charset)?;
        Encoding::for_label(label.as_bytes())
    };
    let from_xml = || if media_type.is_some_and(MediaType::is_xml) { xml_encoding(body) } else { None };
    let mark = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    if let Some(encoding) = mark.or_else(from_header).or_else(from_xml) {
        return DetectedEncoding { encoding, certain: true };
    }
    let encoding = prescan::declared(body).unwrap_or_else(|| guess(body, host, config.charset_sample_bytes));
    // A text read as UTF-16 declares no other encoding ("changing the encoding while parsing", step 1).
    DetectedEncoding { encoding, certain: encoding == UTF_16LE || encoding == UTF_16BE }
}

/// The encoding of an XML document by the rules of XML, without a byte order mark.
fn xml_encoding(body: &[u8]) -> Option<&'static Encoding> {
    unmarked_utf_16(body).or_else(|| encoding_of_label(xml_label(body)?))
}

/// The text, without its byte order mark; malformed sequences become U+FFFD.
pub(crate) fn decode<'b>(body: &'b [u8], encoding: &'static Encoding) -> Cow<'b, str> {
    encoding.decode_with_bom_removal(body).0
}

fn guess(body: &[u8], host: &str, sample_bytes: usize) -> &'static Encoding {
    if is_utf8_prefix(body) {
        return UTF_8;
    }
    let start = body.iter().position(|b| !b.is_ascii()).unwrap_or(0).saturating_sub(CONTEXT_BYTES);
    let rest = &body[start..];
    let sample = &rest[..rest.len().min(sample_bytes)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() == rest.len());
    let tld = host.rsplit('.').next().filter(|_| !is_ip_literal(host));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Allow)
}

/// Whether a body is UTF-8. It may be cut in the middle of a character.
fn is_utf8_prefix(body: &[u8]) -> bool {
    std::str::from_utf8(body).err().is_none_or(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &[u8], content_type: Option<&str>, host: &str) -> &'static str {
        let media_type = MediaType::extract(content_type);
        detect(body, media_type.as_ref(), host, &ParseConfig::default()).encoding.name()
    }

    #[test]
    fn sources_have_the_order_of_the_standard() {
        let koi = "text/html; charset=koi8-r";
        let meta: &[u8] = b"<meta charset=windows-1251>\xff";
        assert_eq!(name(b"\xef\xbb\xbf<meta charset=koi8-r>", Some(koi), "a.example"), "UTF-8");
        assert_eq!(name(b"\xff\xfe<\0", Some(koi), "a.example"), "UTF-16LE");
        assert_eq!(name(meta, Some(koi), "a.example"), "KOI8-R");
        assert_eq!(name(meta, Some("text/html; charset=nonsense"), "a.example"), "windows-1251");
        assert_eq!(name(meta, None, "a.example"), "windows-1251");
        assert_eq!(name(b"<\0a\0", Some("text/html;charset=utf-16"), "a.example"), "UTF-16LE");
    }

    #[test]
    fn documents_with_an_xml_type_follow_xml_rules() {
        let latin: &[u8] = b"<?xml version='1.0' encoding='iso-8859-2'?><meta charset=koi8-r>";
        for (body, content_type, encoding) in [
            (latin, "application/xhtml+xml", "ISO-8859-2"),
            (latin, "text/xml;charset=big5", "Big5"),
            (latin, "text/html", "KOI8-R"),
            (b"<?xml version='1.0'?><meta charset=koi8-r>", "text/xml", "KOI8-R"),
            (b"<?xml encoding='utf-16'?><html>", "text/xml", "UTF-8"),
            (b"<\0h\0t\0m\0l\0>\0", "application/xml", "UTF-16LE"),
            (b"\0<\0?\0x\0m\0l", "application/xhtml+xml", "UTF-16BE"),
            (b"\xfe\xff\0<", "text/xml;charset=utf-8", "UTF-16BE"),
        ] {
            assert_eq!(name(body, Some(content_type), "a.example"), encoding, "{content_type}");
        }
    }

    #[test]
    fn an_xml_declaration_is_certain_and_a_guess_is_not() {
        let certain = |body: &[u8], content_type: &str| {
            let media_type = MediaType::parse(content_type.as_bytes());
            detect(body, media_type.as_ref(), "a.example", &ParseConfig::default()).certain
        };
        assert!(certain(b"<?xml encoding='iso-8859-2'?>", "text/xml"));
        assert!(!certain(b"<?xml encoding='iso-8859-2'?>", "text/html"));
        assert!(certain(b"<\0?\0x\0m\0l\0", "text/html"));
        assert!(!certain(b"<html>", "text/xml"));
    }

    #[test]
    fn an_undeclared_encoding_is_guessed() {
        assert_eq!(name(b"plain", None, "a.example"), "UTF-8");
        assert_eq!(name("Ümläut".as_bytes(), None, "a.example"), "UTF-8");
        assert_eq!(name(&"Ümlä".as_bytes()[..5], None, "a.example"), "UTF-8", "cut within a character");
        assert_eq!(name(b"Caf\xe9 \x96 \x80", None, "a.example"), "windows-1252");
        let russian = encoding_rs::WINDOWS_1251.encode("Привет, это обычный русский текст").0;
        assert_eq!(name(&russian, None, "127.0.0.1"), "windows-1251");
        let far = [&[b' '; 100_000][..], &russian].concat();
        assert_eq!(name(&far, None, "a.example"), "windows-1251", "beyond the first sample");
    }
}
