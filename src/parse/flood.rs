//! Finds a tag with absurdly many attributes before the tokenizer meets it.
//!
//! The tokenizer compares every attribute of a tag with all those before it, so one tag of a few megabytes would
//! take minutes. There is no way to interrupt it, so this looks first. What looks like a tag in a comment or in the
//! raw text of a script is passed over; where that is not seen exactly as the tokenizer would see it, nothing is
//! lost but the count.

use super::scanner::{End, Scanner, starts_tag};

/// Elements whose content is text up to their end tag.
const RAW_TEXT: [&[u8]; 9] =
    [b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes", b"plaintext"];

/// Where the first tag with more than `most` attributes begins.
pub(super) fn tag_with_more_attributes_than(most: usize, text: &str) -> Option<usize> {
    // Every attribute takes two bytes at least: its name and a blank.
    if text.len() <= most.saturating_mul(2) {
        return None;
    }
    let mut scanner = Scanner::new(text.as_bytes());
    let mut found = None;
    while found.is_none() {
        match next_tag(&mut scanner, most) {
            Ok(flooded) => found = flooded,
            Err(End) => return None,
        }
    }
    found
}

/// Goes behind the next tag or comment; where the tag began, if it has more than `most` attributes.
fn next_tag(scanner: &mut Scanner<'_>, most: usize) -> Result<Option<usize>, End> {
    scanner.skip_to(b'<')?;
    let rest = scanner.rest()?;
    if rest.starts_with(b"<!--") {
        scanner.skip_comment()?;
        return Ok(None);
    }
    if !starts_tag(rest) {
        scanner.advance(1);
        return Ok(None);
    }
    let start = scanner.at();
    let name = scanner.skip_tag_name()?;
    let mut attributes = 0;
    while scanner.attribute()?.is_some() {
        attributes += 1;
        if attributes > most {
            return Ok(Some(start));
        }
    }
    if RAW_TEXT.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
        skip_raw_text(scanner, name)?;
    }
    Ok(None)
}

/// Goes to the end tag of this name.
fn skip_raw_text(scanner: &mut Scanner<'_>, name: &[u8]) -> Result<(), End> {
    loop {
        scanner.skip_to(b'<')?;
        let end_name = scanner.rest()?.get(2..2 + name.len()).unwrap_or_default();
        if scanner.rest()?.starts_with(b"</") && end_name.eq_ignore_ascii_case(name) {
            return Ok(());
        }
        scanner.advance(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(count: usize) -> String {
        (0..count).map(|n| format!(" a{n}=\">\"")).collect()
    }

    #[test]
    fn a_flood_of_attributes_is_found_where_it_begins() {
        for (before, found) in [
            ("<p>text</p>", true),
            ("<p title='<b>'>a < b", true),
            ("<script>a<b</script>", true),
            ("<SCRIPT>'</script", true),
            ("<!-- -->", true),
            ("<!-- ", false),
            ("<style>", false),
            ("<textarea><", false),
        ] {
            let text = format!("{before}<a{}>", attributes(101));
            let expected = found.then_some(before.len());
            if before == "<SCRIPT>'</script" {
                // The flood belongs to the end tag itself.
                let text = format!("{before}{}>", attributes(101));
                assert_eq!(tag_with_more_attributes_than(100, &text), text.find("</script"));
                continue;
            }
            assert_eq!(tag_with_more_attributes_than(100, &text), expected, "{before}");
        }
        let text = format!("<a{}>", attributes(100));
        assert_eq!(tag_with_more_attributes_than(100, &text), None);
        let text = format!("<a{}", attributes(101));
        assert_eq!(tag_with_more_attributes_than(100, &text), Some(0), "a tag that never ends");
    }
}
