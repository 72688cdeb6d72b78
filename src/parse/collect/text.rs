//! Text normalisation: blanks collapsed, trimmed and cut.
//!
//! Titles and descriptions are collapsed as in the DOM ("strip and collapse ASCII whitespace"). In anchor texts the
//! no-break space U+00A0 counts as a blank too. Both ends of an anchor text lose the characters without a width:
//!
//! | characters | Unicode names |
//! |---|---|
//! | U+061C | ARABIC LETTER MARK |
//! | U+180E | MONGOLIAN VOWEL SEPARATOR |
//! | U+200B, U+200C, U+200D | ZERO WIDTH SPACE, ZERO WIDTH NON-JOINER, ZERO WIDTH JOINER |
//! | U+200E, U+200F | LEFT-TO-RIGHT MARK, RIGHT-TO-LEFT MARK |
//! | U+202A to U+202E | LEFT-TO-RIGHT EMBEDDING, RIGHT-TO-LEFT EMBEDDING, POP DIRECTIONAL FORMATTING, LEFT-TO-RIGHT OVERRIDE, RIGHT-TO-LEFT OVERRIDE |
//! | U+2060 | WORD JOINER |
//! | U+2066 to U+2069 | LEFT-TO-RIGHT ISOLATE, RIGHT-TO-LEFT ISOLATE, FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE |
//! | U+FEFF | ZERO WIDTH NO-BREAK SPACE |
//!
//! These are the characters of width zero and all characters with the Unicode property `Bidi_Control`.

use std::ops::Range;

/// The text of nested anchors, with each run of blanks collapsed into one space. An anchor text is a slice of it by
/// byte offsets. A slice of the collapsed text, once trimmed, equals the slice collapsed alone, so one text serves
/// any number of anchors.
#[derive(Default)]
pub(super) struct AnchorText {
    text: String,
    /// Offset behind the last visible character.
    visible_end: usize,
    /// Offset at which a blank is not merged with one before it.
    seam: usize,
}

impl AnchorText {
    pub(super) fn push(&mut self, text: &str) {
        let start = self.text.len();
        self.collapse(text);
        let visible = self.text[start..].trim_end_matches(is_invisible).len();
        if visible > 0 {
            self.visible_end = start + visible;
        }
    }

    fn collapse(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = word_length::<true>(rest);
            self.text.push_str(&rest[..word]);
            rest = &rest[word..];
            if rest.is_empty() {
                return;
            }
            self.push_blank();
            rest = &rest[blanks_length::<true>(rest)..];
        }
    }

    pub(super) fn push_blank(&mut self) {
        let is_merged = self.text.len() != self.seam && self.text.ends_with(' ');
        if !self.text.is_empty() && !is_merged {
            self.text.push(' ');
        }
    }

    /// Adds a seam: blanks on its two sides are not merged.
    pub(super) fn add_seam(&mut self) {
        self.seam = self.text.len();
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        (self.visible_end, self.seam) = (0, 0);
    }

    /// The offset of the first visible character from `start` on.
    pub(super) fn first_visible(&self, start: usize) -> Option<usize> {
        let part = self.text.get(start..self.visible_end).filter(|part| !part.is_empty())?;
        Some(self.visible_end - part.trim_start_matches(is_invisible).len())
    }

    /// The text from the visible character at `start` on, trimmed and cut to `max_chars` characters.
    pub(super) fn since(&self, start: usize, max_chars: usize) -> String {
        cut(&self.text[start..self.visible_end.max(start)], max_chars, is_invisible).to_owned()
    }

    /// The text from `start` on without the given ranges, trimmed and cut to `max_chars` characters. The ranges are
    /// sorted by start.
    pub(super) fn without(
        &self,
        start: usize,
        left_out: impl Iterator<Item = Range<usize>>,
        max_chars: usize,
    ) -> String {
        let mut kept = Self::default();
        let mut at = start;
        let end = self.text.len();
        for part in left_out.chain(std::iter::once(end..end)) {
            kept.push_start(&self.text[at.min(part.start)..part.start], max_chars);
            at = at.max(part.end);
        }
        kept.since(0, max_chars)
    }

    /// Pushes as much of a collapsed text as `max_chars` characters from the first visible one may need.
    fn push_start(&mut self, text: &str, max_chars: usize) {
        let enough = char::MAX.len_utf8() * (max_chars + 1);
        if self.text.len() < enough {
            let text = if self.visible_end == 0 { text.trim_start_matches(is_invisible) } else { text };
            self.push(&text[..text.floor_char_boundary(enough)]);
        }
    }
}

/// The `alt` texts of images, without blank ones.
#[derive(Default)]
pub(super) struct Alts {
    text: AnchorText,
    /// The ranges of the `alt` texts in `text`.
    places: Vec<Range<usize>>,
}

impl Alts {
    /// Adds an `alt`, unless it equals the previous one. Only those from number `first` on are compared.
    pub(super) fn push(&mut self, alt: &str, first: usize) {
        let start = self.text.len();
        self.text.push(alt);
        let Some(visible) = self.text.first_visible(start) else { return };
        let place = visible..self.text.visible_end;
        // Otherwise blanks at the end would merge with those of the next one.
        self.text.add_seam();
        let former = self.places.get(first..).and_then(<[_]>::last);
        if former.is_none_or(|former| self.text.text[former.clone()] != self.text.text[place.clone()]) {
            self.places.push(place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
    }

    /// Joins the `alt` texts with these numbers by one blank, cut to `max_chars` characters. Consecutive equal ones
    /// count once.
    pub(super) fn joined(&self, numbers: impl Iterator<Item = usize>, max_chars: usize) -> String {
        let mut joined = String::new();
        let mut former = "";
        for alt in numbers.map(|number| &self.text.text[self.places[number].clone()]) {
            if alt == former {
                continue;
            }
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(alt);
            former = alt;
            if joined.len() > char::MAX.len_utf8() * max_chars {
                break;
            }
        }
        let length = cut(&joined, max_chars, is_invisible).len();
        joined.truncate(length);
        joined
    }
}

/// Normalises a single text as an anchor text, cut to `max_chars` characters.
pub(super) fn anchor_text(text: &str, max_chars: usize) -> String {
    let mut anchor = AnchorText::default();
    anchor.push(text.trim_start_matches(is_invisible));
    anchor.since(0, max_chars)
}

/// Collapses the ASCII blanks of a text, trims it and cuts it to `max_chars` characters.
pub(super) fn collapse(text: &str, max_chars: usize) -> String {
    let mut collapsed = String::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let word = word_length::<false>(rest);
        collapsed.push_str(&rest[..word]);
        let blanks = blanks_length::<false>(&rest[word..]);
        if blanks > 0 {
            collapsed.push(' ');
        }
        rest = &rest[word + blanks..];
    }
    let length = cut(&collapsed, max_chars, |c| c == ' ').len();
    collapsed.truncate(length);
    collapsed
}

/// The first `max_chars` characters of a text that is already trimmed at its start.
fn cut(text: &str, max_chars: usize, is_trimmed: fn(char) -> bool) -> &str {
    let end = text.char_indices().nth(max_chars).map_or(text.len(), |(end, _)| end);
    // The cut may leave trimmable characters at the end.
    text[..end].trim_end_matches(is_trimmed)
}

/// Bytes before the first blank. With `NO_BREAK`, U+00A0 is a blank.
fn word_length<const NO_BREAK: bool>(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() || (NO_BREAK && byte == 0xC2 && bytes.get(at + 1) == Some(&0xA0)) {
            break;
        }
        at += 1;
    }
    at
}

/// Bytes of the blanks at the start.
fn blanks_length<const NO_BREAK: bool>(text: &str) -> usize {
    let is_blank = |c: char| c.is_ascii_whitespace() || (NO_BREAK && c == '\u{a0}');
    text.len() - text.trim_start_matches(is_blank).len()
}

/// Whether an anchor text loses a character at its ends: a blank, or a character without a width.
fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => c == ' ',
        '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => true,
        // Blanks that are not collapsed yet.
        _ => c.is_ascii_whitespace() || c == '\u{a0}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_collapse_and_other_spaces_stay() {
        assert_eq!(collapse("  a \t\n\r b\u{c}c ", 99), "a b c");
        assert_eq!(collapse("\u{a0}\u{a0}", 99), "\u{a0}\u{a0}");
        assert_eq!(collapse(" \n", 99), "");
        for (text, anchor) in [
            ("\u{a0} a\u{a0}\u{a0}b \t\u{a0}\n c\u{a0}", "a b c"),
            ("\u{a0}\u{a0}", ""),
            ("\u{c2}\u{a0}\u{c2}\u{a9}", "\u{c2} \u{c2}\u{a9}"),
            ("a\u{3000}b\u{2003}c\u{202f}", "a\u{3000}b\u{2003}c\u{202f}"),
            ("a\u{b}b", "a\u{b}b"),
        ] {
            assert_eq!(anchor_text(text, 99), anchor, "{text:?}");
        }
    }

    #[test]
    fn zero_width_characters_are_trimmed_at_the_ends() {
        let dropped = "\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\
            \u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";
        for c in dropped.chars() {
            for (text, anchor) in [
                (format!("{c}a b{c}"), "a b".to_owned()),
                (format!(" {c} {c}\u{a0}a{c}\n"), "a".to_owned()),
                (format!("a{c}b"), format!("a{c}b")),
                (format!("a {c} b"), format!("a {c} b")),
                (format!("{c}{c} "), String::new()),
            ] {
                assert_eq!(anchor_text(&text, 99), anchor, "{text:?}");
            }
        }
        assert_eq!(anchor_text(&format!("{dropped}a{dropped}"), 99), "a");
        // A soft hyphen, a combining grapheme joiner and fillers are text.
        for kept in ["\u{ad}", "\u{34f}", "\u{2800}", "\u{2061}", "\u{3164}"] {
            assert_eq!(anchor_text(kept, 99), kept);
        }
        assert_eq!(collapse("\u{200b}a\u{feff}", 99), "\u{200b}a\u{feff}");
    }

    #[test]
    fn a_cut_counts_characters_and_is_trimmed() {
        for cut in [collapse, anchor_text] {
            assert_eq!(cut("äöü ß", 3), "äöü");
            assert_eq!(cut("äöü ß", 4), "äöü");
            assert_eq!(cut("äöü ß", 5), "äöü ß");
            assert_eq!(cut("abc", 0), "");
        }
        assert_eq!(anchor_text(&format!("{}a\u{200b} b", "\u{200b}".repeat(1_000)), 3), "a");
        assert_eq!(anchor_text(&format!("a{}b", " ".repeat(10_000)), 512), "a b");
        assert_eq!(anchor_text(&"\u{1f600}".repeat(600), 512).chars().count(), 512);
    }

    #[test]
    fn a_slice_equals_the_slice_collapsed_alone() {
        let mut text = AnchorText::default();
        text.push("one ");
        let inner = text.len();
        text.push(" \u{200b}two\n");
        assert_eq!(text.since(text.first_visible(inner).unwrap(), 99), "two");
        let end = text.len();
        text.push(" \u{200e}");
        assert_eq!((text.first_visible(end), text.since(0, 99)), (None, "one \u{200b}two".to_owned()));
        text.push(" three");
        assert_eq!(text.since(0, 99), "one \u{200b}two \u{200e} three");
    }

    #[test]
    fn excluded_parts_keep_the_blanks_around_them() {
        let mut text = AnchorText::default();
        let mut places = Vec::new();
        for (piece, is_kept) in
            [("x ", false), ("one", true), (" y ", false), (" two", true), ("z ", false), ("three", true)]
        {
            text.add_seam();
            let start = text.len();
            text.push(piece);
            text.add_seam();
            places.extend((!is_kept).then_some(start..text.len()));
        }
        assert_eq!(text.without(0, places.iter().cloned(), 99), "one twothree");
        assert_eq!(text.without(0, places.iter().cloned(), 5), "one t");
        let both = places[1].start..places[2].end;
        assert_eq!(text.without(0, [both, places[2].clone()].into_iter(), 99), "x onethree");
    }

    #[test]
    fn equal_alts_in_a_row_count_once() {
        let mut alts = Alts::default();
        for alt in [" A", "A ", "", "\u{200b}", "A", "B", "b", "A", "A"] {
            alts.push(alt, 0);
        }
        assert_eq!(alts.joined(0..alts.len(), 99), "A B b A");
        let first = alts.len();
        alts.push("A", first);
        alts.push("A\u{a0}C", first);
        assert_eq!(alts.joined(first..alts.len(), 99), "A A C");
        assert_eq!(alts.joined(0..alts.len(), 99), "A B b A A C");
        assert_eq!(alts.joined(0..alts.len(), 6), "A B b");
    }
}
