//! Recognises session ids, in parameter values and in path segments of ASP.NET.

/// Length of a session id of ASP.NET 1, which is a whole segment in brackets.
const ASP_NET_1_LENGTH: usize = 24;

/// Whether a segment is one that ASP.NET adds for visitors without cookies: a session id in brackets, or up to four
/// tickets, each with a letter and a value.
pub(super) fn is_cookieless(segment: &str, min_length: usize) -> bool {
    let Some(inner) = segment.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return false };
    let is_of_id = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'5');
    if inner.len() == ASP_NET_1_LENGTH && inner.bytes().all(is_of_id) {
        return inner.bytes().any(|b| b.is_ascii_digit());
    }
    let mut rest = inner;
    while let Some((ticket, next)) = rest.split_once(')') {
        let Some((kind, value)) = ticket.split_once('(') else { return false };
        let is_ticket = match kind {
            // This ticket says only whether cookies work.
            "X" | "x" => !value.is_empty(),
            "A" | "a" | "F" | "f" | "S" | "s" => value.len() >= min_length,
            _ => false,
        };
        if !is_ticket || !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return false;
        }
        rest = next;
    }
    rest.is_empty() && !inner.is_empty()
}

/// Whether a value looks like a session id: it has enough letters and digits, contains both, and has no words.
///
/// Ids are hexadecimal, base 36, base 64 with `-` and `_`, or a UUID. Some containers append the name of a server
/// (`7F3A….node1`, `7F3A…!-1734`, `0000A2MB…:19hb`), which may be any text. Article names also have long runs of
/// letters and digits (`covid-19-vaccine-booster`), but consist of words with hyphens.
pub(super) fn looks_like_id(value: &str, min_length: usize) -> bool {
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(value.len());
    let is_suffix = value[end..].starts_with(['.', '!', '~', ':', '*', '+', ',', '$', '@', '%', '|']);
    if end < value.len() && !is_suffix {
        return false;
    }
    let id = &value[..end];
    let tokens = || id.split(['-', '_']);
    let is_mixed = |text: &str| {
        text.bytes().filter(u8::is_ascii_alphanumeric).count() >= min_length
            && text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().any(|b| b.is_ascii_alphabetic())
    };
    tokens().next().is_some_and(is_mixed) || is_uuid(id) || is_mixed(id) && !tokens().any(is_word)
}

/// Whether a text looks like a word: at least three letters, all lower case, all upper case, or capitalised.
fn is_word(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let is_all = |is: fn(&u8) -> bool| text.bytes().all(|b| is(&b));
    text.len() >= 3
        && is_all(u8::is_ascii_alphabetic)
        && (is_all(u8::is_ascii_uppercase) || rest.bytes().all(|b| b.is_ascii_lowercase()))
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
