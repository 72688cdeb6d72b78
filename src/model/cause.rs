//! Sanitises untrusted text for display: the cause of a failure often quotes a server.

/// Maximum length of a cause, in characters. The longest causes of the HTTP client are half as long.
pub const MAX_CAUSE: usize = 300;

/// A text on one line and of bounded length. Control characters, direction marks and invisible characters become
/// blanks, and blanks are collapsed. So a hostile server can neither forge a log line nor hide one.
pub fn plain_cause(text: &str) -> String {
    plain(text, MAX_CAUSE)
}

/// As [`plain_cause`], with at most `max_chars` characters.
pub fn plain(text: &str, max_chars: usize) -> String {
    let (mut out, mut count) = (String::new(), 0);
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || is_invisible(c) {
            blank = !out.is_empty();
            continue;
        }
        let width = 1 + usize::from(blank);
        if count + width > max_chars {
            if count == max_chars {
                out.pop();
            }
            out.truncate(out.trim_end().len());
            out.push('…');
            break;
        }
        count += width;
        if std::mem::take(&mut blank) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Direction marks, joiners, and characters without a shape.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_one_line_without_control_characters() {
        for (text, shown) in [
            ("", ""),
            ("connection refused", "connection refused"),
            ("  two\r\nlines\t of  text ", "two lines of text"),
            ("\u{1b}[2J\u{1b}[31mred\u{7}", "[2J [31mred"),
            ("a\u{202e}b\u{200b}c\u{feff}", "a b c"),
            ("\u{9b}31m\0\u{7f}", "31m"),
            ("größer als 日本", "größer als 日本"),
        ] {
            assert_eq!(plain_cause(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_cause_is_bounded_in_length() {
        let long = plain_cause(&"é x".repeat(10_000));
        assert!((MAX_CAUSE - 1..=MAX_CAUSE).contains(&long.chars().count()), "{long}");
        assert!(long.ends_with('…'));
        assert_eq!(plain("fives", 5), "fives");
        assert_eq!(plain("longer", 5), "long…");
        assert_eq!(plain("a b c d", 5), "a b…");
        assert_eq!(plain("a b c ", 5), "a b c");
        assert_eq!(plain_cause(&"\n".repeat(1 << 20)), "");
    }
}
