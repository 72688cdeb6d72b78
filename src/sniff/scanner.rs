//! A light scanner over markup: tag names, attributes and comments, by the rules that the encoding prescan and the
//! tokenizer of the HTML standard share. It builds nothing and returns byte ranges.

use std::ops::Range;

/// Bytes that end an unquoted value.
const ENDS_WORD: [bool; 256] = table(b"\t\n\x0c\r >");
/// Bytes that end a tag name.
const ENDS_TAG_NAME: [bool; 256] = table(b"\t\n\x0c\r >/");
/// Bytes that end an attribute name.
const ENDS_NAME: [bool; 256] = table(b"\t\n\x0c\r >/=");

const fn table(members: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < members.len() {
        table[members[at] as usize] = true;
        at += 1;
    }
    table
}

/// The end of the input.
pub struct End;

/// The ranges of name and value.
pub type Attribute = (Range<usize>, Range<usize>);

pub struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Where the last search for an attribute started.
    searched_from: usize,
}

impl<'b> Scanner<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, searched_from: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    /// The bytes of a range.
    pub fn bytes(&self, place: Range<usize>) -> &'b [u8] {
        self.bytes.get(place).unwrap_or_default()
    }

    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn rest(&self) -> Result<&'b [u8], End> {
        self.bytes.get(self.at..).ok_or(End)
    }

    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn skip_to(&mut self, byte: u8) -> Result<(), End> {
        self.at += memchr::memchr(byte, self.rest()?).ok_or(End)?;
        Ok(())
    }

    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn skip_until(&mut self, stops: impl Fn(u8) -> bool) -> Result<(), End> {
        self.at += self.rest()?.iter().position(|&b| stops(b)).ok_or(End)?;
        Ok(())
    }

    /// Skips a comment, from `<!--` to the `>` of its `-->`. The hyphens of the start may be those of the end.
    ///
    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn skip_comment(&mut self) -> Result<(), End> {
        let after_opening = self.rest()?.get(b"<!".len()..).ok_or(End)?;
        let end = find(after_opening, b"-->").ok_or(End)?;
        self.advance(b"<!".len() + end + b"--".len());
        Ok(())
    }

    /// Skips the name of a tag and returns its range.
    ///
    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn tag_name(&mut self) -> Result<Range<usize>, End> {
        let start = self.at;
        self.skip_until(|b| ENDS_TAG_NAME[usize::from(b)])?;
        Ok(start..self.at)
    }

    /// Skips from the `<` of a tag to the blank or `>` behind its name, as the prescan does.
    ///
    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn skip_tag_name(&mut self) -> Result<(), End> {
        self.advance(1);
        self.skip_until(|b| ENDS_WORD[usize::from(b)])
    }

    /// "Get an attribute" of the standard; `None` at the `>` of the tag.
    ///
    /// # Errors
    /// [`End`] at the end of the bytes.
    pub fn attribute(&mut self) -> Result<Option<Attribute>, End> {
        self.searched_from = self.at;
        self.skip_until(|b| !is_blank(b) && b != b'/')?;
        if self.byte()? == b'>' {
            return Ok(None);
        }
        let start = self.at;
        if self.byte()? == b'=' {
            self.at += 1;
        }
        self.skip_until(|b| ENDS_NAME[usize::from(b)])?;
        let name = start..self.at;
        if matches!(self.byte()?, b'/' | b'>') {
            return Ok(Some((name, 0..0)));
        }
        self.skip_until(|b| !is_blank(b))?;
        if self.byte()? != b'=' {
            return Ok(Some((name, 0..0)));
        }
        self.at += 1;
        Ok(Some((name, self.value()?)))
    }

    /// Whether a `/` that belongs to the tag itself precedes the `>`. To be called at the `>`, after the last
    /// attribute.
    pub fn is_after_slash(&self) -> bool {
        self.at > self.searched_from && self.bytes(self.searched_from..self.at).ends_with(b"/")
    }

    fn value(&mut self) -> Result<Range<usize>, End> {
        self.skip_until(|b| !is_blank(b))?;
        let quote = self.byte()?;
        if matches!(quote, b'"' | b'\'') {
            self.at += 1;
            let start = self.at;
            self.skip_to(quote)?;
            self.at += 1;
            return Ok(start..self.at - 1);
        }
        let start = self.at;
        self.skip_until(|b| ENDS_WORD[usize::from(b)])?;
        Ok(start..self.at)
    }

    fn byte(&self) -> Result<u8, End> {
        self.bytes.get(self.at).copied().ok_or(End)
    }
}

/// Whether the bytes start with a start or an end tag.
pub fn starts_tag(bytes: &[u8]) -> bool {
    matches!(bytes, [b'<', letter, ..] | [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic())
}

pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// ASCII white space, as in markup.
pub fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}
