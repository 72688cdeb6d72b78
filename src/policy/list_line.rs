//! The format of the operator's lists: seeds, and blocked hosts.
//!
//! A list has one word a line. Blank lines are skipped, and so is everything from a `#` at the start of a line or after
//! a blank. A byte order mark and CRLF line ends are accepted.

/// The reason why a line has no single word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WordError<'a> {
    /// The line is not UTF-8.
    Encoding,
    /// The line has several words. Its text, without blanks around it.
    Blank(&'a str),
}

/// A first line without its byte order mark.
pub fn strip_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The word of a line; `None` when the line is empty or a comment.
pub(super) fn word_of_line(line: &[u8]) -> Result<Option<&str>, WordError<'_>> {
    let line = std::str::from_utf8(line).map_err(|_| WordError::Encoding)?;
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    match (words.next(), words.next()) {
        (word, None) => Ok(word),
        (_, Some(_)) => Err(WordError::Blank(line.trim())),
    }
}
