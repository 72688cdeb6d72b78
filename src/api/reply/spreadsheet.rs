//! Cells of CSV that a spreadsheet displays unchanged, instead of running or garbling them.
//!
//! A spreadsheet recognizes UTF-8 by the byte order mark. It treats a cell that begins like a formula as a formula,
//! even in CSV quotes, and strangers decide how anchor texts and titles begin. A leading apostrophe turns such a cell
//! into text (OWASP, *CSV Injection*). Line breaks, tabs and other control characters would split rows or vanish. A
//! cell longer than [`MAX_CELL_UNITS`] overflows into the next row in Excel. Numbers, days, flags and addresses need no
//! treatment.

use std::fmt::Write;

/// The first bytes of a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The maximum length of a cell in UTF-16 code units, as Excel and LibreOffice count (Microsoft, *Excel specifications
/// and limits*).
pub(crate) const MAX_CELL_UNITS: usize = 32_767;

/// The maximum number of rows of a sheet (ibid.), including the line of column names.
pub(crate) const MAX_ROWS: usize = 1_048_576;

/// UTF-16 code units reserved for the note that a cell was truncated.
const NOTE_UNITS: usize = 40;

/// Appends a text as a cell. Returns whether it is complete.
pub(crate) fn push_text(text: &str, cell: &mut String) -> bool {
    if is_plain(text) {
        cell.push_str(text);
        return true;
    }
    let start = cell.len();
    if looks_like_formula(text) {
        cell.push('\'');
    }
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            letter if is_line_break(letter) => cell.push(' '),
            letter if letter.is_control() => {}
            letter => cell.push(letter),
        }
    }
    truncate_cell(cell, start)
}

/// Whether a text needs no change: the common case, decided without decoding characters.
fn is_plain(text: &str) -> bool {
    let first = text.as_bytes().first();
    text.len() <= MAX_CELL_UNITS
        && first.is_none_or(u8::is_ascii_alphanumeric)
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether a spreadsheet may treat a cell with this text as a formula. It may do so after it has removed leading
/// blanks, quotes or invisible characters, or has converted East Asian width forms into ASCII.
fn looks_like_formula(text: &str) -> bool {
    let is_skipped = |letter: char| {
        (letter.is_whitespace() || letter.is_control() || is_quote(letter) || is_invisible(letter))
            && !matches!(letter, '\t' | '\r' | '\n')
    };
    let first = text.chars().find(|&letter| !is_skipped(letter));
    first.is_some_and(|letter| {
        matches!(
            letter,
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '＝'
                | '＋'
                | '－'
                | '＠'
                | '﹦'
                | '﹢'
                | '﹣'
                | '﹫'
        )
    })
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '´' | '«' | '»' | '‘'..='‟' | '‹' | '›' | '＂' | '＇' | '｀')
}

/// Whether a character has no width: soft hyphens, joiners, direction marks and byte order marks.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Whether a character ends a line, or is a tab.
fn is_line_break(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Truncates the cell that begins at byte `start` if it is too long, and appends how many characters are missing.
/// Returns whether the cell is complete.
fn truncate_cell(cell: &mut String, start: usize) -> bool {
    let text = &cell[start..];
    if text.len() <= MAX_CELL_UNITS || text.chars().map(char::len_utf16).sum::<usize>() <= MAX_CELL_UNITS {
        return true;
    }
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= MAX_CELL_UNITS - NOTE_UNITS
    };
    let kept: usize = text.chars().take_while(fits).map(char::len_utf8).sum();
    let missing = text[kept..].chars().count();
    cell.truncate(start + kept);
    // Writing to a String cannot fail.
    let _ = write!(cell, "… [{missing} more characters]");
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(text: &str) -> String {
        let mut cell = String::new();
        assert!(push_text(text, &mut cell), "{text:?} was cut");
        cell
    }

    #[test]
    fn a_formula_becomes_text() {
        for text in [
            "=1+1",
            "+1+cmd",
            "-2+3+cmd",
            "@SUM(1+1)",
            "-5",
            "-",
            "  =1+1",
            "\u{a0}=1",
            "\u{3000}@x",
            "\"=1+1\"",
            "'=1",
            "“+1”",
            " ' \" -1",
            "＝1＋1",
            "＋1",
            "－1",
            "＠x",
            "﹦1",
            "\u{feff}=1",
            "\u{202e}=1",
            "\u{200b}\u{200d}+1",
            "\u{7}=1",
        ] {
            let written = cell(text);
            assert!(written.starts_with('\''), "{text:?}: {written:?}");
            let shown: String = text.chars().filter(|letter| !letter.is_control()).collect();
            assert_eq!(written[1..], shown, "{text:?}");
        }
    }

    #[test]
    fn leading_tabs_and_line_breaks_are_replaced() {
        for (text, written) in [
            ("\tx", "' x"),
            ("\rx", "' x"),
            ("\nx", "' x"),
            ("\r\n=1", "' =1"),
            (" \tx", "'  x"),
            ("\u{b}x", " x"),
            ("\u{2028}=1", "' =1"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_unchanged() {
        for text in [
            "",
            "ordinary text",
            "a=b",
            "1-2",
            "x@example.com",
            "Größe – 日本",
            "–1",
            "— dash",
            "(=1)",
            "#=1",
            "\"quoted\"",
            "'tis",
            "   ",
            "http://example.com/?a=b",
            "\u{1f600}",
        ] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn a_cell_is_one_line_without_control_characters() {
        for (text, written) in [
            ("a\r\nb\rc\nd", "a b c d"),
            ("a\n\nb", "a  b"),
            ("a\tb\u{b}c\u{c}d", "a b c d"),
            ("a\u{85}b\u{2028}c\u{2029}d", "a b c d"),
            ("bell\u{7}esc\u{1b}[31mred\u{7f}\u{9b}\0", "bellesc[31mred"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }

    #[test]
    fn a_long_cell_is_truncated_with_a_note() {
        for (letter, units) in [("x", 1), ("ä", 1), ("日", 1), ("\u{1f600}", 2)] {
            let most = MAX_CELL_UNITS / units;
            assert_eq!(cell(&letter.repeat(most)).encode_utf16().count(), most * units);
            let mut cut = "before".to_owned();
            assert!(!push_text(&letter.repeat(most + 1), &mut cut), "{letter}");
            let cut = cut.strip_prefix("before").unwrap();
            let length = cut.encode_utf16().count();
            assert!((MAX_CELL_UNITS - NOTE_UNITS..=MAX_CELL_UNITS).contains(&length), "{letter}: {length}");
            let kept = cut.matches(letter).count();
            assert!(cut.ends_with(&format!("… [{} more characters]", most + 1 - kept)), "{letter}");
        }
        // The apostrophe counts as well.
        let mut formula = String::new();
        assert!(!push_text(&"=".repeat(MAX_CELL_UNITS), &mut formula));
        assert!(formula.starts_with("'==") && formula.encode_utf16().count() <= MAX_CELL_UNITS);
        assert!(push_text(&"=".repeat(MAX_CELL_UNITS - 1), &mut String::new()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// The fast path and the slow path agree, and no cell is harmful.
        #[test]
        fn no_text_makes_a_harmful_cell(
            start in "[ \"'\t\r\n\u{a0}\u{feff}\u{202e}=+@＝＋－＠-]{0,4}", rest in ".{0,30}",
        ) {
            let text = start + &rest;
            let written = cell(&text);
            prop_assert!(!written.contains(|c: char| c.is_control() || is_line_break(c)), "{:?}", written);
            let shown = written.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || is_invisible(c));
            prop_assert!(!shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", written);
            let bare: String = text.chars().filter(|c| !c.is_control() && !is_line_break(*c)).collect();
            let kept: String = written.chars().filter(|c| *c != '\'' && *c != ' ').collect();
            prop_assert_eq!(kept, bare.replace(['\'', ' '], ""));
        }
    }
}
