//! The encoding of a document, by the HTML standard's "encoding sniffing algorithm": byte order mark, HTTP header,
//! the document's own declaration ([`super::prescan`]), and a guess where nothing is declared. A document with an XML
//! type has its XML declaration's encoding before that of any `meta`.
//!
//! The guess is UTF-8 for whatever is valid UTF-8 (so also for plain ASCII), and else chardetng's on a bounded
//! sample that begins near the first byte that is not ASCII, helped by the host's top-level domain.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::prescan;
use crate::config::ParseConfig;
use crate::encoding::{of_markup_label, unmarked_utf_16, xml_label};
use crate::model::MediaType;
use crate::urls::is_ip_literal;

/// ASCII bytes before the first other one that the detector gets to see, for the word around it.
const CONTEXT: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) encoding: &'static Encoding,
    /// Whether a byte order mark or the HTTP header says so: then a `meta` found later changes nothing.
    pub(super) certain: bool,
}

pub(super) fn choose(
    body: &[u8],
    media_type: Option<&MediaType>,
    host: &str,
    config: &ParseConfig,
) -> Choice {
    let from_header = || {
        let label = media_type.and_then(MediaType::charset)?;
        Encoding::for_label(label.as_bytes())
    };
    let from_xml = || if media_type.is_some_and(MediaType::is_xml) { xml_encoding(body) } else { None };
    let mark = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    if let Some(encoding) = mark.or_else(from_header).or_else(from_xml) {
        return Choice { encoding, certain: true };
    }
    let encoding = prescan::declared(body).unwrap_or_else(|| detect(body, host, config.charset_sample_bytes));
    // A text in UTF-16 that was read as such names no other encoding ("changing the encoding while parsing", step 1).
    Choice { encoding, certain: encoding == UTF_16LE || encoding == UTF_16BE }
}

/// The encoding that an XML document has or declares by XML's own rules, without a byte order mark.
fn xml_encoding(body: &[u8]) -> Option<&'static Encoding> {
    unmarked_utf_16(body).or_else(|| of_markup_label(xml_label(body)?))
}

/// The text, without its byte order mark; malformed sequences become U+FFFD.
pub(super) fn decode<'b>(body: &'b [u8], encoding: &'static Encoding) -> Cow<'b, str> {
    encoding.decode_with_bom_removal(body).0
}

fn detect(body: &[u8], host: &str, sample_bytes: usize) -> &'static Encoding {
    if is_utf8_as_far_as_it_goes(body) {
        return UTF_8;
    }
    let start = body.iter().position(|b| !b.is_ascii()).unwrap_or(0).saturating_sub(CONTEXT);
    let rest = &body[start..];
    let sample = &rest[..rest.len().min(sample_bytes)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() == rest.len());
    let tld = host.rsplit('.').next().filter(|_| !is_ip_literal(host));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Allow)
}

/// Whether a body, which may have been cut in the middle of a character, is UTF-8.
fn is_utf8_as_far_as_it_goes(body: &[u8]) -> bool {
    std::str::from_utf8(body).err().is_none_or(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &[u8], content_type: Option<&str>, host: &str) -> &'static str {
        let media_type = MediaType::extract(content_type);
        choose(body, media_type.as_ref(), host, &ParseConfig::default()).encoding.name()
    }

    #[test]
    fn sources_are_asked_in_the_order_of_the_standard() {
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
    fn documents_of_an_xml_type_are_read_by_xmls_rules() {
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
    fn a_declaration_settles_what_xml_says_and_no_guess() {
        let certain = |body: &[u8], content_type: &str| {
            let media_type = MediaType::parse(content_type.as_bytes());
            choose(body, media_type.as_ref(), "a.example", &ParseConfig::default()).certain
        };
        assert!(certain(b"<?xml encoding='iso-8859-2'?>", "text/xml"));
        assert!(!certain(b"<?xml encoding='iso-8859-2'?>", "text/html"));
        assert!(certain(b"<\0?\0x\0m\0l\0", "text/html"));
        assert!(!certain(b"<html>", "text/xml"));
    }

    #[test]
    fn the_undeclared_is_guessed() {
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
