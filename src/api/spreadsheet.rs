//! Cells of CSV that a spreadsheet shows as they are, instead of running or garbling them.
//!
//! A spreadsheet takes a file for UTF-8 by its byte order mark, and a cell that begins like a formula for one, be it
//! in quotes of CSV or not: pages of others decide what anchor texts and titles begin with. An apostrophe in front
//! makes such a cell a text (OWASP, *CSV Injection*). Line breaks, tabs and other control characters would tear rows
//! apart or vanish, and a cell longer than [`MOST_UNITS`] spills into the next row in Excel. Numbers, days, flags and
//! addresses need none of this.

use std::fmt::Write;

/// What a file begins with.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// UTF-16 code units of a cell at most, as Excel and LibreOffice count them (Microsoft, *Excel specifications and
/// limits*).
pub const MOST_UNITS: usize = 32_767;

/// Rows of a sheet at most (ibid.), the line of names among them.
pub const MOST_ROWS: usize = 1_048_576;

/// UTF-16 code units kept free for the note that a cell was cut.
const NOTE_UNITS: usize = 40;

/// Appends a text as a cell; tells whether it is whole.
pub fn push_text(text: &str, cell: &mut String) -> bool {
    if is_plain(text) {
        cell.push_str(text);
        return true;
    }
    let start = cell.len();
    if begins_like_formula(text) {
        cell.push('\'');
    }
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            letter if is_break(letter) => cell.push(' '),
            letter if letter.is_control() => {}
            letter => cell.push(letter),
        }
    }
    cut(cell, start)
}

/// Whether a text is shown as it is: the usual case, decided without looking at characters.
fn is_plain(text: &str) -> bool {
    let first = text.as_bytes().first();
    text.len() <= MOST_UNITS
        && first.is_none_or(u8::is_ascii_alphanumeric)
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether a spreadsheet may take a cell with this text for a formula, now or after it has taken off blanks, quotes or
/// invisible characters in front, or has turned forms of East Asian width into their ASCII ones.
fn begins_like_formula(text: &str) -> bool {
    let is_passed_over = |letter: char| {
        (letter.is_whitespace() || letter.is_control() || is_quote(letter) || is_invisible(letter))
            && !matches!(letter, '\t' | '\r' | '\n')
    };
    let first = text.chars().find(|&letter| !is_passed_over(letter));
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

/// Whether a character has no width: soft hyphens, joiners, marks of direction and of byte order.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Whether a character ends a line, or moves on to the next place to stop at.
fn is_break(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Cuts the cell that begins at a byte, if it is too long, and notes there how much is missing.
fn cut(cell: &mut String, start: usize) -> bool {
    let text = &cell[start..];
    if text.len() <= MOST_UNITS || text.chars().map(char::len_utf16).sum::<usize>() <= MOST_UNITS {
        return true;
    }
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= MOST_UNITS - NOTE_UNITS
    };
    let kept: usize = text.chars().take_while(fits).map(char::len_utf8).sum();
    let missing = text[kept..].chars().count();
    cell.truncate(start + kept);
    // A String takes everything.
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
    fn what_begins_like_a_formula_becomes_a_text() {
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
    fn tabs_and_line_breaks_in_front_count_as_well() {
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
    fn other_texts_stay_as_they_are() {
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
    fn a_long_cell_is_cut_and_says_so() {
        for (letter, units) in [("x", 1), ("ä", 1), ("日", 1), ("\u{1f600}", 2)] {
            let most = MOST_UNITS / units;
            assert_eq!(cell(&letter.repeat(most)).encode_utf16().count(), most * units);
            let mut cut = "before".to_owned();
            assert!(!push_text(&letter.repeat(most + 1), &mut cut), "{letter}");
            let cut = cut.strip_prefix("before").unwrap();
            let length = cut.encode_utf16().count();
            assert!((MOST_UNITS - NOTE_UNITS..=MOST_UNITS).contains(&length), "{letter}: {length}");
            let kept = cut.matches(letter).count();
            assert!(cut.ends_with(&format!("… [{} more characters]", most + 1 - kept)), "{letter}");
        }
        // The apostrophe counts.
        let mut formula = String::new();
        assert!(!push_text(&"=".repeat(MOST_UNITS), &mut formula));
        assert!(formula.starts_with("'==") && formula.encode_utf16().count() <= MOST_UNITS);
        assert!(push_text(&"=".repeat(MOST_UNITS - 1), &mut String::new()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// The quick way and the other say the same; and no cell does harm.
        #[test]
        fn no_text_makes_a_cell_that_is_run_or_torn(
            start in "[ \"'\t\r\n\u{a0}\u{feff}\u{202e}=+@＝＋－＠-]{0,4}", rest in ".{0,30}",
        ) {
            let text = start + &rest;
            let written = cell(&text);
            prop_assert!(!written.contains(|c: char| c.is_control() || is_break(c)), "{:?}", written);
            let shown = written.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || is_invisible(c));
            prop_assert!(!shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", written);
            let bare: String = text.chars().filter(|c| !c.is_control() && !is_break(*c)).collect();
            let kept: String = written.chars().filter(|c| *c != '\'' && *c != ' ').collect();
            prop_assert_eq!(kept, bare.replace(['\'', ' '], ""));
        }
    }
}
