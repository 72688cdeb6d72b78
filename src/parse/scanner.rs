//! A light scanner over markup, by the rules that the HTML standard's encoding prescan and its tokenizer share: tag
//! names, attributes, comments. It builds nothing and borrows all.

/// The bytes that end a tag name or an unquoted value.
const ENDS_WORD: [bool; 256] = table(b"\t\n\x0c\r >");
/// The bytes that end an attribute name.
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

/// The bytes have run out.
pub(super) struct End;

/// Name and value, as they are written.
pub(super) type Attribute<'b> = (&'b [u8], &'b [u8]);

pub(super) struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Scanner<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn rest(&self) -> Result<&'b [u8], End> {
        self.bytes.get(self.at..).ok_or(End)
    }

    pub(super) fn skip_to(&mut self, byte: u8) -> Result<(), End> {
        self.at += memchr::memchr(byte, self.rest()?).ok_or(End)?;
        Ok(())
    }

    pub(super) fn skip_until(&mut self, stops: impl Fn(u8) -> bool) -> Result<(), End> {
        self.at += self.rest()?.iter().position(|&b| stops(b)).ok_or(End)?;
        Ok(())
    }

    /// From `<!--` to the `>` of its `-->`, whose hyphens may be those of the opening.
    pub(super) fn skip_comment(&mut self) -> Result<(), End> {
        let after_opening = self.rest()?.get(b"<!".len()..).ok_or(End)?;
        let end = find(after_opening, b"-->").ok_or(End)?;
        self.advance(b"<!".len() + end + b"--".len());
        Ok(())
    }

    /// From the `<` of a tag to behind its name, which is returned as it is written (with the `/` of an end tag).
    pub(super) fn skip_tag_name(&mut self) -> Result<&'b [u8], End> {
        let start = self.at + 1;
        self.skip_until(|b| ENDS_WORD[usize::from(b)])?;
        Ok(&self.bytes[start..self.at])
    }

    /// The standard's "get an attribute": name and value as they are written, `None` at the `>` of the tag.
    pub(super) fn attribute(&mut self) -> Result<Option<Attribute<'b>>, End> {
        self.skip_until(|b| !is_blank(b) && b != b'/')?;
        if self.byte()? == b'>' {
            return Ok(None);
        }
        let start = self.at;
        if self.byte()? == b'=' {
            self.at += 1;
        }
        self.skip_until(|b| ENDS_NAME[usize::from(b)])?;
        let name = &self.bytes[start..self.at];
        if matches!(self.byte()?, b'/' | b'>') {
            return Ok(Some((name, &[])));
        }
        self.skip_until(|b| !is_blank(b))?;
        if self.byte()? != b'=' {
            return Ok(Some((name, &[])));
        }
        self.at += 1;
        Ok(Some((name, self.value()?)))
    }

    fn value(&mut self) -> Result<&'b [u8], End> {
        self.skip_until(|b| !is_blank(b))?;
        let quote = self.byte()?;
        if matches!(quote, b'"' | b'\'') {
            self.at += 1;
            let start = self.at;
            self.skip_to(quote)?;
            self.at += 1;
            return Ok(&self.bytes[start..self.at - 1]);
        }
        let start = self.at;
        self.skip_until(|b| ENDS_WORD[usize::from(b)])?;
        Ok(&self.bytes[start..self.at])
    }

    fn byte(&self) -> Result<u8, End> {
        self.bytes.get(self.at).copied().ok_or(End)
    }
}

/// Whether a start or an end tag begins here.
pub(super) fn starts_tag(bytes: &[u8]) -> bool {
    matches!(bytes, [b'<', letter, ..] | [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic())
}

pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// ASCII white space, as markup has it.
pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}
