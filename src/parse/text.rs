//! Text as it is kept: blanks collapsed, trimmed, cut.

/// A text in which every run of blanks has become one space. Parts of it can be cut out by byte offset: since a
/// collapsed part of a text is, once trimmed, the same as the part collapsed alone, one text serves any number
/// of elements that hold each other.
#[derive(Default)]
pub(super) struct Collapsed(String);

impl Collapsed {
    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.bytes().position(|b| b.is_ascii_whitespace()).unwrap_or(rest.len());
            self.0.push_str(&rest[..word]);
            rest = &rest[word..];
            let blanks = rest.bytes().position(|b| !b.is_ascii_whitespace()).unwrap_or(rest.len());
            if blanks > 0 && !self.0.is_empty() && !self.0.ends_with(' ') {
                self.0.push(' ');
            }
            rest = &rest[blanks..];
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What was pushed since the text was `start` bytes long, trimmed and cut to `most` characters.
    pub(super) fn since(&self, start: usize, most: usize) -> String {
        let part = self.0[start..].trim_matches(' ');
        let end = part.char_indices().nth(most).map_or(part.len(), |(end, _)| end);
        // The cut may have left a space at the end.
        part[..end].trim_end_matches(' ').to_owned()
    }
}

/// A whole text, collapsed, trimmed and cut to `most` characters.
pub(super) fn collapse<'t>(pieces: impl IntoIterator<Item = &'t str>, most: usize) -> String {
    let mut text = Collapsed::default();
    for piece in pieces {
        text.push(piece);
    }
    text.since(0, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_collapse_and_other_spaces_stay() {
        assert_eq!(collapse(["  a \t\n", "\r b\u{c}", "c "], 99), "a b c");
        assert_eq!(collapse(["\u{a0}\u{a0}"], 99), "\u{a0}\u{a0}");
        assert_eq!(collapse([" ", "\n"], 99), "");
    }

    #[test]
    fn a_cut_counts_characters_and_leaves_no_blank() {
        assert_eq!(collapse(["äöü ß"], 3), "äöü");
        assert_eq!(collapse(["äöü ß"], 4), "äöü");
        assert_eq!(collapse(["äöü ß"], 5), "äöü ß");
        assert_eq!(collapse(["abc"], 0), "");
    }

    #[test]
    fn a_part_is_the_part_collapsed_alone() {
        let mut text = Collapsed::default();
        text.push("one ");
        let inner = text.len();
        text.push(" two\n");
        assert_eq!(text.since(inner, 99), "two");
        text.push(" three");
        assert_eq!(text.since(0, 99), "one two three");
    }
}
