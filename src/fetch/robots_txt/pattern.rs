//! Patterns of robots.txt rules and the paths they are compared with (RFC 9309, 2.2.2 and 2.2.3).
//!
//! Both are brought to one form, in which equal octets are equal characters; patterns are then matched piece by
//! piece. Each piece is looked for once, from the left, by the standard library's linear search, so no pattern
//! can make matching go back and forth.

/// Which side of a comparison a text is.
#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    /// A rule's pattern: `*` is a wildcard, `$` at the end an anchor.
    Pattern,
    /// A URL's path and query.
    Path,
}

/// The form in which patterns and paths are compared: one character for each octet, whether it was written
/// plainly or percent-encoded. An encoded octet that is not the same as the plain one is moved up by 256, and so
/// are `*` and `$` wherever they mean themselves.
pub fn octets(text: &[u8], side: Side) -> String {
    let mut form = String::with_capacity(text.len());
    let (mut at, mut in_query) = (0, false);
    while let Some(&byte) = text.get(at) {
        let encoded = escape(&text[at..]);
        let octet = encoded.unwrap_or(byte);
        at += if encoded.is_some() { 3 } else { 1 };
        let apart = match octet {
            b'*' => encoded.is_some() || side == Side::Path,
            b'$' => encoded.is_some() || side == Side::Path || at < text.len(),
            b'/' | b'?' => encoded.is_some() && !in_query,
            b'&' | b'=' | b'+' => encoded.is_some() && in_query,
            _ => false,
        };
        in_query |= byte == b'?';
        let moved = u32::from(octet) + if apart { 256 } else { 0 };
        form.extend(char::from_u32(moved));
    }
    form
}

/// The octet that a percent escape at the start of `text` stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Whether a pattern matches a path from its start, both in the form of [`octets`].
pub fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let (first, pieces) = match pattern.split_once('*') {
        Some((first, pieces)) => (first, Some(pieces)),
        None => (pattern, None),
    };
    let Some(rest) = path.strip_prefix(first) else { return false };
    match pieces {
        Some(pieces) => pieces_match(pieces, rest, anchored),
        None => rest.is_empty() || !anchored,
    }
}

/// Whether the pieces, a star before each, match the path's rest.
fn pieces_match(pieces: &str, mut rest: &str, anchored: bool) -> bool {
    let mut pieces = pieces.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if anchored && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}
