//! Numbers for people to read.

use indicatif::HumanCount;

/// Formats a number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Formats a table row: a name, a number, and an optional note in brackets.
pub(crate) fn row(name: &str, number: u64, note: &str) -> String {
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
    fn commas_separate_thousands() {
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
    fn rows_are_aligned() {
        assert_eq!(row("links", 1_234, ""), "\n  links                        1,234");
        assert_eq!(row("  backlinks", 7, "new"), "\n    backlinks                      7  (new)");
    }
}
