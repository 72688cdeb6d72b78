//! Matching of robots.txt patterns against paths (RFC 9309, 2.2.2 and 2.2.3).
//!
//! Patterns and paths are converted to one form, in which equal octets are equal characters. Patterns are then
//! matched piece by piece. Each piece is searched once, from the left, in linear time, so matching never backtracks.
//! The caller of [`PathPattern::matches`] bounds the total cost over all patterns of a file.
//!
//! Whether an octet equals its encoding depends on its position in the URL, before or after the question mark. The
//! text before a pattern's first star is matched from the start of the URL, so its position is known. A piece behind
//! a star may match on either side, so patterns have a form for each.

use memchr::memmem;

/// Cost of starting a search, in bytes searched.
const SEARCH_COST: usize = 64;

/// The pattern of a rule: `*` is a wildcard, a final `$` an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    /// The form of the pieces in a path, from which a piece may extend into the query.
    in_path: Box<str>,
    /// The form of the pieces in a query; `None`: the same.
    in_query: Option<Box<str>>,
}

/// A URL's path and query.
#[derive(Debug)]
pub(super) struct Path {
    form: String,
    /// Offset of the query, behind the question mark; the length without a query.
    query: usize,
}

/// The side of a comparison.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    PathPattern,
    Path,
}

impl PathPattern {
    pub(super) fn new(text: &[u8]) -> Self {
        let (in_path, in_query) = (form(text, Side::PathPattern, false), form(text, Side::PathPattern, true));
        let in_query = (in_query != in_path).then(|| in_query.into_boxed_str());
        Self { in_path: in_path.into_boxed_str(), in_query }
    }

    /// The same pattern with an anchor at its end.
    pub(super) fn anchored(text: &[u8]) -> Self {
        Self::new(&[text, b"$"].concat())
    }

    /// Number of octets to compare, including wildcards.
    pub(super) fn length(&self) -> usize {
        self.in_path.chars().count()
    }

    /// Size in memory in bytes, in addition to the struct itself.
    pub(super) fn weight(&self) -> usize {
        self.in_path.len() + self.in_query.as_ref().map_or(0, |form| form.len())
    }

    /// Whether the pattern matches a path from its start. The search behind a star takes its maximum cost from
    /// `left`. `None`: `left` is too small, and the path starts with the text before the first star.
    pub(super) fn matches(&self, path: &Path, left: &mut usize) -> Option<bool> {
        let (in_path, is_anchored) = match self.in_path.strip_suffix('$') {
            Some(in_path) => (in_path, true),
            None => (&*self.in_path, false),
        };
        let in_query = self.in_query.as_deref().unwrap_or(&self.in_path);
        let in_query = if is_anchored { in_query.strip_suffix('$').unwrap_or(in_query) } else { in_query };
        let (mut in_path, mut in_query) = (in_path.split('*'), in_query.split('*'));
        let (first, _) = (in_path.next().unwrap_or_default(), in_query.next());
        if !path.form.starts_with(first) {
            return Some(false);
        }
        let mut pieces = in_path.zip(in_query).peekable();
        if pieces.peek().is_none() {
            return Some(first.len() == path.form.len() || !is_anchored);
        }
        *left = left.checked_sub(self.cost(path))?;
        let mut at = first.len();
        while let Some((in_path, in_query)) = pieces.next() {
            if is_anchored && pieces.peek().is_none() {
                return Some(path.ends_with(at, in_path, in_query));
            }
            match path.find(at, in_path, in_query) {
                Some(end) => at = end,
                None => return Some(false),
            }
        }
        Some(true)
    }

    /// Maximum number of bytes compared, plus the start cost of the searches in bytes.
    fn cost(&self, path: &Path) -> usize {
        let stars = self.in_path.bytes().filter(|&b| b == b'*').count();
        path.form.len() + self.in_path.len() + SEARCH_COST * stars
    }
}

impl Path {
    pub(super) fn new(path_and_query: &str) -> Self {
        let form = form(path_and_query.as_bytes(), Side::Path, false);
        let query = form.find('?').map_or(form.len(), |question| question + 1);
        Self { form, query }
    }

    /// The end of the first match of a piece from `at` on.
    fn find(&self, at: usize, in_path: &str, in_query: &str) -> Option<usize> {
        let found = |from: usize, to: usize, piece: &str| {
            let place = memmem::find(&self.form.as_bytes()[from..to], piece.as_bytes())?;
            Some(from + place + piece.len())
        };
        // A match may extend into the query, but not start there.
        let to = (self.query + in_path.len()).saturating_sub(1).min(self.form.len());
        let end = if at < self.query { found(at, to, in_path) } else { None };
        end.or_else(|| found(at.max(self.query), self.form.len(), in_query))
    }

    /// Whether a piece matches at the end and starts at or behind `at`.
    fn ends_with(&self, at: usize, in_path: &str, in_query: &str) -> bool {
        let begins = |piece: &str| self.form.ends_with(piece).then(|| self.form.len() - piece.len());
        begins(in_path).is_some_and(|place| place >= at && place < self.query)
            || begins(in_query).is_some_and(|place| place >= at.max(self.query))
    }
}

/// The form for comparisons: one character per octet, whether it was written plainly or percent-encoded. An encoded
/// octet that differs from the plain one is moved up by 256. So are literal `*` and `$`. `in_query`: whether the
/// text, or each piece of the pattern, starts behind the question mark.
fn form(text: &[u8], side: Side, in_query: bool) -> String {
    let mut form = String::with_capacity(text.len());
    let (mut at, begins_in_query, mut in_query) = (0, in_query, in_query);
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
        if octet == b'*' && !apart {
            in_query = begins_in_query;
        }
        let moved = u32::from(octet) + if apart { 256 } else { 0 };
        form.extend(char::from_u32(moved));
    }
    form
}

/// The octet of a percent escape at the start of `text`.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
