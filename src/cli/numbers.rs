//! Numbers as people read them.

/// With a comma between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A row of a table: what, how many, and what else there is to say.
pub(super) fn row(name: &str, number: u64, note: &str) -> String {
    let number = grouped(number);
    if note.is_empty() {
        format!("\n  {name:<17} {number:>16}")
    } else {
        format!("\n  {name:<17} {number:>16}  ({note})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (100_000, "100,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn rows_line_up() {
        assert_eq!(row("links", 1_234, ""), "\n  links                        1,234");
        assert_eq!(row("  backlinks", 7, "new"), "\n    backlinks                      7  (new)");
    }
}
