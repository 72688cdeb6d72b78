//! The value of a meta refresh or a `Refresh` header: "shared declarative refresh steps" of the HTML standard.

/// The reference of a refresh; `None` when the value is malformed or only reloads the page.
pub(crate) fn reference(value: &str) -> Option<&str> {
    let value = value.trim_ascii_start();
    let after_digits = value.trim_start_matches(|c: char| c.is_ascii_digit());
    if after_digits.len() == value.len() && !value.starts_with('.') {
        return None;
    }
    let rest = after_digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !rest.starts_with(|c: char| matches!(c, ';' | ',') || c.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
    (!rest.is_empty()).then(|| unquoted(after_url_equals(rest)))
}

/// The text behind `url =`; all of it without such a prefix.
fn after_url_equals(text: &str) -> &str {
    let has_url = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("url"));
    let after = has_url.then(|| text[3..].trim_ascii_start()).and_then(|rest| rest.strip_prefix('='));
    after.map_or(text, str::trim_ascii_start)
}

fn unquoted(text: &str) -> &str {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split(quote).next().unwrap_or_default(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_refresh_is_read() {
        for (value, leads_to) in [
            ("0; url=next", Some("next")),
            ("  5;URL = 'a b' rest", Some("a b")),
            ("5;url=\"x", Some("x")),
            ("0,next.html", Some("next.html")),
            ("0 next.html", Some("next.html")),
            ("1.5;url=x", Some("x")),
            (".5;url=x", Some("x")),
            ("0;'quoted'", Some("quoted")),
            ("0;url", Some("url")),
            ("0;urlx", Some("urlx")),
            ("0;u=x", Some("u=x")),
            ("0;url=it's", Some("it's")),
            ("0; ; x", Some("; x")),
            ("0;ürl", Some("ürl")),
            ("5", None),
            ("5;", None),
            ("5; ", None),
            ("url=x", None),
            ("-1;url=x", None),
            ("5x;url=x", None),
            ("", None),
            ("0;url=", Some("")),
        ] {
            assert_eq!(reference(value), leads_to, "{value:?}");
        }
    }
}
