//! What HTTP headers say about a document: whether it is HTML, its canonical URL.

use super::root;
use crate::model::{MediaType, Rel};

/// Bytes that browsers skip before they look for the first tag (MIME Sniffing Standard, 7.1).
const BLANKS: &[u8] = b"\t\n\x0c\r ";

/// Bytes that browsers look at to tell what a body is (MIME Sniffing Standard, 5.2). Without a bound, a body of blanks
/// would be looked through anew with each of its pieces.
const SNIFFED: usize = 1_445;

/// Beginnings of HTML documents (MIME Sniffing Standard, 7.1); a blank or `>` must follow each of them.
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

/// Whether an answer is HTML, by its type and its body or the beginning of it.
///
/// HTML is what is sent as `text/html` or `application/xhtml+xml`. Of any other XML type it is a document whose root
/// element is `html`. Without a usable type (none, or one of the standard's unknown types) the body
/// decides, by the patterns of the MIME Sniffing Standard (<https://mimesniff.spec.whatwg.org>, 7.1). Beyond the
/// standard, a PDF sent as HTML is not HTML: a browser would show noise, and whatever looks like a tag in it is no
/// link.
pub fn is_html(media_type: Option<&MediaType>, body: &[u8]) -> bool {
    match declares_html(media_type) {
        Some(declared) => declared && !body.starts_with(b"%PDF-"),
        None => looks_like_html(media_type, body) == Some(true),
    }
}

/// Whether a type says that a body is HTML; `None` when the body decides.
pub fn declares_html(media_type: Option<&MediaType>) -> Option<bool> {
    let media_type = media_type?;
    match media_type.essence() {
        "text/html" | "application/xhtml+xml" => Some(true),
        "unknown/unknown" | "application/unknown" | "*/*" => None,
        _ if media_type.is_xml() => None,
        _ => Some(false),
    }
}

/// Whether a body whose type does not say so begins as HTML does; `None` when there is too little of it to decide.
pub fn looks_like_html(media_type: Option<&MediaType>, body: &[u8]) -> Option<bool> {
    if media_type.is_some_and(MediaType::is_xml) {
        return root::is_html(body);
    }
    let seen = &body[..body.len().min(SNIFFED)];
    let start = seen.iter().position(|b| !BLANKS.contains(b)).unwrap_or(seen.len());
    if body[start..].starts_with(b"<?xml") {
        return root::is_html(&body[start..]);
    }
    begins_as_html(&seen[start..], body.len() >= SNIFFED)
}

/// Whether a body begins as one of [`HTML_STARTS`]; `is_all`: no more of it is looked at.
fn begins_as_html(body: &[u8], is_all: bool) -> Option<bool> {
    let found = HTML_STARTS.iter().any(|pattern| {
        let Some((head, rest)) = body.split_at_checked(pattern.len()) else { return false };
        // A comment is HTML whatever follows its opening.
        let ends = *pattern == "<!--" || matches!(rest.first(), Some(b' ' | b'>'));
        ends && head.eq_ignore_ascii_case(pattern.as_bytes())
    });
    let is_long_enough = HTML_STARTS.iter().all(|pattern| body.len() > pattern.len());
    (found || is_all || is_long_enough).then_some(found)
}

/// The target of the first link with relation `canonical` in a `Link` header (RFC 8288), as it is written there.
/// Links about another resource than this answer (`anchor`) are passed over.
pub(super) fn canonical(link_header: &str) -> Option<&str> {
    split_unquoted(link_header, ',').find_map(|link| {
        let (target, parameters) = link.trim_ascii().strip_prefix('<')?.split_once('>')?;
        let parameters: Vec<_> = split_unquoted(parameters, ';').filter_map(parameter).collect();
        let value_of = |wanted: &str| {
            parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
        };
        let relations = value_of("rel")?;
        let is_canonical = Rel::tokens(relations).any(|r| r.eq_ignore_ascii_case("canonical"));
        (is_canonical && value_of("anchor").is_none()).then_some(target)
    })
}

/// `name=value` or `name="value"`, blanks around either taken off.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim_ascii();
    let unquoted = value.strip_prefix('"').map(|rest| rest.split('"').next().unwrap_or_default());
    Some((name.trim_ascii(), unquoted.unwrap_or(value)))
}

/// The parts of a header between separators that stand neither in `"…"` nor in `<…>`.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut closing = None;
    let mut escaped = false;
    text.split(move |c| {
        match closing {
            _ if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(end) if c == end => closing = None,
            Some(_) => {}
            None if c == '"' => closing = Some('"'),
            None if c == '<' => closing = Some('>'),
            None => return c == separator,
        }
        false
    })
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
        for (blanks, html) in [(0, true), (SNIFFED - 6, true), (SNIFFED - 5, false), (100_000, false)] {
            assert_eq!(is_html(None, after(blanks).as_bytes()), html, "{blanks}");
        }
        // However much of it is there, it is not waited for more.
        assert_eq!(looks_like_html(None, &[b' '; SNIFFED - 1]), None);
        assert_eq!(looks_like_html(None, &[b' '; SNIFFED]), Some(false));
        let start = std::time::Instant::now();
        let blanks = vec![b' '; 8 << 20];
        assert!((0..100_000).all(|_| looks_like_html(None, &blanks) == Some(false)));
        // Looked through whole, these take minutes.
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }

    #[test]
    fn canonical_links_are_found_in_headers() {
        for (header, target) in [
            ("</next>; rel=\"next\", <https://e.example/>; rel=\"canonical\"", Some("https://e.example/")),
            ("<a,b;c>; title=\"x, y; rel=canonical\"; rel=\"alternate Canonical\"", Some("a,b;c")),
            ("<a>; rel=next; rel=canonical", None),
            ("<a>; rel=canonical; anchor=\"/other\", <b>;rel=canonical", Some("b")),
            ("<a>; rel=canonicals", None),
            ("<a>; rel=\"alternate,canonical\"", Some("a")),
            ("a; rel=canonical", None),
            ("<a; rel=canonical", None),
            ("", None),
        ] {
            assert_eq!(canonical(header), target, "{header}");
        }
    }
}
