//! Whether a response is HTML (<https://mimesniff.spec.whatwg.org>), and the light scanner over markup that this shares
//! with the parser. Pure: no I/O, time linear in the inspected bytes.

pub mod scanner;
mod xml_root;

use crate::model::MediaType;

/// Bytes that browsers skip before the first tag (MIME Sniffing Standard, 7.1).
const BLANKS: &[u8] = b"\t\n\x0c\r ";

/// Bytes that browsers inspect to determine the type of a body (MIME Sniffing Standard, 5.2). Without a bound, a body
/// of blanks would be scanned again with each chunk.
const SNIFFED_BYTES: usize = 1_445;

/// Starts of HTML documents (MIME Sniffing Standard, 7.1). A blank or `>` must follow each of them.
const HTML_STARTS: [&str; 17] = [
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
    "<!--",
];

/// Whether a response is HTML, by its media type and the start of its body.
///
/// HTML is a body sent as `text/html` or `application/xhtml+xml`. With any other XML type, it is a document whose
/// root element is `html`. Without a usable type (none, or one of the unknown types of the standard), the patterns of
/// the MIME Sniffing Standard (<https://mimesniff.spec.whatwg.org>, 7.1) decide. Beyond the standard, a PDF sent as
/// HTML is not HTML: a browser shows noise, and nothing in it is a link.
pub fn is_html(media_type: Option<&MediaType>, body: &[u8]) -> bool {
    match declares_html(media_type) {
        Some(declared) => declared && !body.starts_with(b"%PDF-"),
        None => looks_like_html(media_type, body) == Some(true),
    }
}

/// Whether a media type declares HTML; `None` when the body decides.
pub fn declares_html(media_type: Option<&MediaType>) -> Option<bool> {
    let media_type = media_type?;
    match media_type.essence() {
        "text/html" | "application/xhtml+xml" => Some(true),
        "unknown/unknown" | "application/unknown" | "*/*" => None,
        _ if media_type.is_xml() => None,
        _ => Some(false),
    }
}

/// Whether a body without a declaring type starts like HTML; `None` when it is too short to decide.
pub fn looks_like_html(media_type: Option<&MediaType>, body: &[u8]) -> Option<bool> {
    if media_type.is_some_and(MediaType::is_xml) {
        return xml_root::is_html(body);
    }
    let seen = &body[..body.len().min(SNIFFED_BYTES)];
    let start = seen.iter().position(|b| !BLANKS.contains(b)).unwrap_or(seen.len());
    if body[start..].starts_with(b"<?xml") {
        return xml_root::is_html(&body[start..]);
    }
    starts_as_html(&seen[start..], body.len() >= SNIFFED_BYTES)
}

/// Whether a body starts with one of [`HTML_STARTS`]. `is_all`: no further bytes are inspected.
fn starts_as_html(body: &[u8], is_all: bool) -> Option<bool> {
    let found = HTML_STARTS.iter().any(|pattern| {
        let Some((head, rest)) = body.split_at_checked(pattern.len()) else { return false };
        // A comment is HTML, whatever follows its start.
        let ends = *pattern == "<!--" || matches!(rest.first(), Some(b' ' | b'>'));
        ends && head.eq_ignore_ascii_case(pattern.as_bytes())
    });
    let is_long_enough = HTML_STARTS.iter().all(|pattern| body.len() > pattern.len());
    (found || is_all || is_long_enough).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: &str, body: &[u8]) -> bool {
        is_html(MediaType::extract([content_type]).as_ref(), body)
    }

    #[test]
    fn html_is_told_by_its_media_type() {
        for (header, html, svg) in [
            ("text/html", true, true),
            ("TEXT/HTML; charset=utf-8", true, true),
            (" text/html ;x", true, true),
            ("text/plain, text/html", true, true),
            ("text/html, text/plain", false, false),
            ("application/xhtml+xml", true, true),
            ("text/plain", false, false),
            ("application/octet-stream", false, false),
            ("application/xml", true, false),
            ("text/xml;charset=utf-8", true, false),
            ("image/svg+xml", true, false),
            ("application/xml-dtd", false, false),
            ("text/htmlx", false, false),
        ] {
            assert_eq!((of(header, b"<html>"), of(header, b"<svg>")), (html, svg), "{header}");
        }
        assert!(of("text/html", b""));
        assert!(!of("text/html", b"%PDF-1.4\n <a href=/x>"));
    }

    #[test]
    fn without_a_media_type_the_body_tells() {
        for (body, html) in [
            ("<!DOCTYPE html><title>", true),
            ("\r\n\t <HtMl >", true),
            ("<!--comment", true),
            ("<a href=x>", true),
            ("<p>", true),
            ("<article>", false),
            ("<p", false),
            ("<h2>", false),
            ("<?xml version=\"1.0\"?>", false),
            ("\n<?xml version=\"1.0\"?><html >", true),
            ("<?xml version=\"1.0\"?><feed>", false),
            ("\u{feff}<html>", false),
            ("text <html>", false),
            ("", false),
        ] {
            for header in ["", "html", "*/*", "unknown/unknown", "text/html(, application/unknown"] {
                assert_eq!(of(header, body.as_bytes()), html, "{header:?} {body}");
            }
        }
    }

    #[test]
    fn of_a_body_only_the_beginning_tells() {
        let after = |blanks: usize| format!("{}<html >", " ".repeat(blanks));
        for (blanks, html) in
            [(0, true), (SNIFFED_BYTES - 6, true), (SNIFFED_BYTES - 5, false), (100_000, false)]
        {
            assert_eq!(is_html(None, after(blanks).as_bytes()), html, "{blanks}");
        }
        // More bytes would not change the decision.
        assert_eq!(looks_like_html(None, &[b' '; SNIFFED_BYTES - 1]), None);
        assert_eq!(looks_like_html(None, &[b' '; SNIFFED_BYTES]), Some(false));
        let start = std::time::Instant::now();
        let blanks = vec![b' '; 8 << 20];
        assert!((0..100_000).all(|_| looks_like_html(None, &blanks) == Some(false)));
        // Scanning all of these bodies would take minutes.
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
