//! What HTTP headers say about a document: its media type, its charset, its canonical URL.

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

/// Whether an answer is HTML, by its raw `Content-Type` header and the first bytes of its body.
///
/// HTML is what is sent as `text/html` or `application/xhtml+xml`. Without a usable type (none, malformed, or one
/// of the standard's unknown types) the body decides, by the HTML patterns of the MIME Sniffing Standard
/// (<https://mimesniff.spec.whatwg.org>, 7.1). Beyond the standard, a PDF sent as HTML is not HTML: a browser
/// would show noise, and whatever looks like a tag in it is no link.
pub fn is_html(content_type: Option<&str>, body_prefix: &[u8]) -> bool {
    match declares_html(content_type) {
        Some(true) => !body_prefix.starts_with(b"%PDF-"),
        None => looks_like_html(body_prefix) == Some(true),
        Some(false) => false,
    }
}

/// Whether a `Content-Type` header declares HTML; `None` when there is no usable type, so that the body decides.
pub fn declares_html(content_type: Option<&str>) -> Option<bool> {
    match content_type.and_then(media_type).as_deref() {
        Some("text/html" | "application/xhtml+xml") => Some(true),
        None | Some("unknown/unknown" | "application/unknown" | "*/*") => None,
        Some(_) => Some(false),
    }
}

/// Type and subtype in lower case; `None` when the header is malformed.
fn media_type(header: &str) -> Option<String> {
    let essence = header.split(';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let is_token = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_ascii_whitespace());
    (is_token(kind) && is_token(subtype)).then_some(essence)
}

/// Whether a body without a usable type begins as HTML does; `None` when there is too little of it to tell.
pub fn looks_like_html(body: &[u8]) -> Option<bool> {
    let is_all = body.len() >= SNIFFED;
    let body = &body[..body.len().min(SNIFFED)];
    let start = body.iter().position(|b| !BLANKS.contains(b)).unwrap_or(body.len());
    let body = &body[start..];
    let found = HTML_STARTS.iter().any(|pattern| {
        let Some((head, rest)) = body.split_at_checked(pattern.len()) else { return false };
        // A comment is HTML whatever follows its opening.
        let ends = *pattern == "<!--" || matches!(rest.first(), Some(b' ' | b'>'));
        ends && head.eq_ignore_ascii_case(pattern.as_bytes())
    });
    let is_long_enough = HTML_STARTS.iter().all(|pattern| body.len() > pattern.len());
    (found || is_all || is_long_enough).then_some(found)
}

/// The label in the first `charset` parameter of a `Content-Type` header.
pub(super) fn charset_label(content_type: &str) -> Option<&str> {
    split_unquoted(content_type, ';')
        .skip(1)
        .filter_map(parameter)
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, label)| label.trim_matches('\''))
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
        let is_canonical = relations.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("canonical"));
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

    #[test]
    fn html_is_told_by_its_media_type() {
        for (header, html) in [
            ("text/html", true),
            ("TEXT/HTML; charset=utf-8", true),
            (" text/html ;x", true),
            ("application/xhtml+xml", true),
            ("text/plain", false),
            ("application/octet-stream", false),
            ("application/xml", false),
            ("image/svg+xml", false),
            ("text/htmlx", false),
        ] {
            assert_eq!(is_html(Some(header), b"<html>"), html, "{header}");
        }
        assert!(is_html(Some("text/html"), b""));
        assert!(!is_html(Some("text/html"), b"%PDF-1.4\n <a href=/x>"));
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
            ("\u{feff}<html>", false),
            ("text <html>", false),
            ("", false),
        ] {
            for header in [None, Some(""), Some("html"), Some("*/*"), Some("unknown/unknown")] {
                assert_eq!(is_html(header, body.as_bytes()), html, "{header:?} {body}");
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
        assert_eq!(looks_like_html(&[b' '; SNIFFED - 1]), None);
        assert_eq!(looks_like_html(&[b' '; SNIFFED]), Some(false));
        let start = std::time::Instant::now();
        let blanks = vec![b' '; 8 << 20];
        assert!((0..100_000).all(|_| looks_like_html(&blanks) == Some(false)));
        // Looked through whole, these take minutes.
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }

    #[test]
    fn charset_parameters_are_found() {
        for (header, label) in [
            ("text/html; charset=utf-8", Some("utf-8")),
            ("text/html;CHARSET=\"windows-1252\"", Some("windows-1252")),
            ("text/html; x=\"; charset=a\"; charset=b", Some("b")),
            ("text/html; charset = koi8-r ; charset=utf-8", Some("koi8-r")),
            ("text/html; charset='utf-8'", Some("utf-8")),
            ("text/html", None),
            ("charset=utf-8", None),
        ] {
            assert_eq!(charset_label(header), label, "{header}");
        }
    }

    #[test]
    fn canonical_links_are_found_in_headers() {
        for (header, target) in [
            ("</next>; rel=\"next\", <https://e.example/>; rel=\"canonical\"", Some("https://e.example/")),
            ("<a,b;c>; title=\"x, y; rel=canonical\"; rel=\"alternate Canonical\"", Some("a,b;c")),
            ("<a>; rel=next; rel=canonical", None),
            ("<a>; rel=canonical; anchor=\"/other\", <b>;rel=canonical", Some("b")),
            ("<a>; rel=canonicals", None),
            ("a; rel=canonical", None),
            ("<a; rel=canonical", None),
            ("", None),
        ] {
            assert_eq!(canonical(header), target, "{header}");
        }
    }
}
