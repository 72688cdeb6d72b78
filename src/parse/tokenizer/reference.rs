//! Character references: sections 13.2.5.72 to 80 of the HTML standard.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use html5ever::tendril::StrTendril;

/// Length of the longest name: letters, digits and the semicolon.
const MAX_NAME_BYTES: usize = 32;

/// The characters of a reference.
#[derive(Debug, PartialEq)]
pub(super) struct CharacterReference {
    pub(super) first: char,
    /// Some names have two characters.
    pub(super) second: Option<char>,
    /// Bytes of the reference, without its `&`.
    pub(super) length: usize,
}

impl CharacterReference {
    pub(super) fn to_text(&self) -> StrTendril {
        let mut text = StrTendril::from_char(self.first);
        if let Some(second) = self.second {
            text.push_char(second);
        }
        text
    }
}

/// Reads the reference at the start of a text, which follows a `&`. In an attribute value, a name without a semicolon
/// that continues like a parameter is not a reference.
pub(super) fn read(text: &str, in_attribute: bool) -> Option<CharacterReference> {
    match text.as_bytes() {
        [b'#', b'x' | b'X', ..] => numeric(text, "#x".len(), 16),
        [b'#', ..] => numeric(text, "#".len(), 10),
        _ => named(text, in_attribute),
    }
}

fn numeric(text: &str, start: usize, radix: u32) -> Option<CharacterReference> {
    let digits = text[start..].chars().map_while(|c| c.to_digit(radix));
    let (mut number, mut length) = (0_u32, start);
    for digit in digits {
        number = number.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == start {
        return None;
    }
    length += usize::from(text[length..].starts_with(';'));
    Some(CharacterReference { first: from_number(number), second: None, length })
}

/// "Numeric character reference end state" of the standard.
fn from_number(number: u32) -> char {
    let of_c1 =
        number.checked_sub(0x80).and_then(|place| C1_REPLACEMENTS.get(place as usize).copied().flatten());
    of_c1.or_else(|| char::from_u32(number).filter(|&c| c != '\0')).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn named(text: &str, in_attribute: bool) -> Option<CharacterReference> {
    let bytes = text.as_bytes();
    let most = bytes.len().min(MAX_NAME_BYTES);
    let letters = bytes[..most].iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(most);
    if bytes.get(letters) == Some(&b';')
        && let Some(reference) = from_name(&text[..=letters])
    {
        return Some(reference);
    }
    let reference = (1..=letters).rev().find_map(|length| from_name(&text[..length]))?;
    let goes_on = bytes.get(reference.length).is_some_and(|&b| b == b'=' || b.is_ascii_alphanumeric());
    (!in_attribute || !goes_on).then_some(reference)
}

fn from_name(name: &str) -> Option<CharacterReference> {
    // The table also holds prefixes of names, with NUL as their character.
    let &(first, second) = NAMED_ENTITIES.get(name).filter(|(first, _)| *first != 0)?;
    let second = char::from_u32(second).filter(|&c| c != '\0');
    Some(CharacterReference { first: char::from_u32(first)?, second, length: name.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, whether in an attribute, the characters, and the length.
    #[test]
    fn references_are_read_as_the_standard_has_it() {
        for (text, in_attribute, expected, length) in [
            ("amp;", false, "&", 4),
            ("amp", false, "&", 3),
            ("ampx", false, "&", 3),
            ("ampx", true, "", 0),
            ("amp=", true, "", 0),
            ("amp=", false, "&", 3),
            ("amp;=", true, "&", 4),
            ("amp \"", true, "&", 3),
            ("notit;", false, "¬", 3),
            ("notin;", false, "∉", 6),
            ("notin", false, "¬", 3),
            ("NotEqualTilde;", false, "≂\u{338}", 14),
            ("CounterClockwiseContourIntegral;", false, "∳", 32),
            ("nbsp;;", false, "\u{a0}", 5),
            ("AMP;", false, "&", 4),
            ("Amp;", false, "", 0),
            ("nosuchname;", false, "", 0),
            ("é", false, "", 0),
            ("", false, "", 0),
            (";", false, "", 0),
            ("#65;", false, "A", 4),
            ("#65", true, "A", 3),
            ("#65x", true, "A", 3),
            ("#x41;", false, "A", 5),
            ("#X4aé", false, "J", 4),
            ("#x;", false, "", 0),
            ("#;", false, "", 0),
            ("#", false, "", 0),
            ("#0;", false, "\u{fffd}", 3),
            ("#xd800;", false, "\u{fffd}", 7),
            ("#1114112;", false, "\u{fffd}", 9),
            ("#99999999999999999999;", false, "\u{fffd}", 22),
            ("#128;", false, "€", 5),
            ("#129;", false, "\u{81}", 5),
            ("#13;", false, "\r", 4),
        ] {
            let read = read(text, in_attribute);
            let text_read = read.as_ref().map(CharacterReference::to_text).unwrap_or_default();
            assert_eq!(&*text_read, expected, "{text}");
            assert_eq!(read.map_or(0, |reference| reference.length), length, "{text}");
        }
    }
}
