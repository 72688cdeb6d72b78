//! The robots directives of a page: meta robots and `X-Robots-Tag`.
//!
//! Only `noindex`, `nofollow` and `none` (both) are read. Directives add up: none of them allows what another
//! forbids. There is no standard; this follows the documentation of the large search engines.

use crate::model::Directives;

/// Directives with a value. The name before their colon is not a crawler.
const VALUED: [&str; 4] = ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];

/// Adds the directives in the `content` of a meta element. Words are separated by commas, as documented, or by
/// blanks.
#[must_use]
pub(crate) fn with_meta(directives: Directives, content: &str) -> Directives {
    content.split(|c: char| c == ',' || c.is_ascii_whitespace()).fold(directives, with_word)
}

/// Adds the directives of an `X-Robots-Tag` header line. A `name:` limits the directives behind it on the line to
/// that crawler. A colon after several words, such as the time in a date, names no crawler.
#[must_use]
pub(crate) fn with_header(directives: Directives, line: &str, user_agent_token: &str) -> Directives {
    let mut is_for_us = true;
    line.split(',').fold(directives, |all, part| {
        let mut part = part.trim_ascii();
        if let Some((name, rest)) = part.split_once(':') {
            let name = name.trim_ascii();
            let is_token = !name.contains(|c: char| c.is_ascii_whitespace());
            if !is_token || VALUED.iter().any(|valued| valued.eq_ignore_ascii_case(name)) {
                return all;
            }
            is_for_us = name == "*" || names_us(name, user_agent_token);
            part = rest;
        }
        if is_for_us { with_meta(all, part) } else { all }
    })
}

/// Whether directives under this name apply to all crawlers or to this one.
pub(crate) fn names_us(name: &str, user_agent_token: &str) -> bool {
    name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case(user_agent_token)
}

fn with_word(directives: Directives, word: &str) -> Directives {
    let none = word.eq_ignore_ascii_case("none");
    Directives {
        noindex: directives.noindex || none || word.eq_ignore_ascii_case("noindex"),
        nofollow: directives.nofollow || none || word.eq_ignore_ascii_case("nofollow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEITHER: Directives = Directives { noindex: false, nofollow: false };
    const NOINDEX: Directives = Directives { noindex: true, nofollow: false };
    const NOFOLLOW: Directives = Directives { noindex: false, nofollow: true };
    const BOTH: Directives = Directives { noindex: true, nofollow: true };

    #[test]
    fn meta_words_are_read_in_any_case() {
        for (content, said) in [
            ("noindex", NOINDEX),
            ("NoFollow", NOFOLLOW),
            ("index, nofollow", NOFOLLOW),
            ("noindex,nofollow", BOTH),
            ("NONE", BOTH),
            ("noindex nofollow", BOTH),
            ("all", NEITHER),
            ("nofollow2, noindexed", NEITHER),
            ("", NEITHER),
        ] {
            assert_eq!(with_meta(NEITHER, content), said, "{content:?}");
        }
        assert_eq!(with_meta(NOINDEX, "index, nofollow"), BOTH);
    }

    #[test]
    fn header_lines_can_be_for_one_crawler() {
        for (line, said) in [
            ("noindex, nofollow", BOTH),
            ("none", BOTH),
            ("otherbot: nofollow", NEITHER),
            ("otherbot: noindex, nofollow", NEITHER),
            ("backlinkd: nofollow", NOFOLLOW),
            ("BackLinkd:noindex, nofollow", BOTH),
            ("noindex, otherbot: nofollow", NOINDEX),
            ("otherbot: noindex, backlinkd: nofollow", NOFOLLOW),
            ("*: nofollow", NOFOLLOW),
            ("max-snippet: 20, nofollow", NOFOLLOW),
            ("unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT, noindex", NOINDEX),
            ("", NEITHER),
        ] {
            assert_eq!(with_header(NEITHER, line, "backlinkd"), said, "{line:?}");
        }
    }
}
