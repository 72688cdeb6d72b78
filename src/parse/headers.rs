//! The canonical URL from HTTP headers.

use crate::model::Rel;

/// The target of the first link with relation `canonical` in a `Link` header (RFC 8288), as written. Links with an
/// `anchor`, which are about another resource, are skipped.
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

/// `name=value` or `name="value"`, without blanks around either.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim_ascii();
    let unquoted = value.strip_prefix('"').map(|rest| rest.split('"').next().unwrap_or_default());
    Some((name.trim_ascii(), unquoted.unwrap_or(value)))
}

/// The parts of a header between separators, except those inside `"…"` or `<…>`.
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
