//! Decodes a robots.txt to text. It should be UTF-8 (RFC 9309, 2.2), but is not always.
//!
//! UTF-16 is detected by its byte order mark, or if most second bytes are NUL. Any other NUL byte is dropped: editors
//! leave them behind, and so do tools that append UTF-16 to a UTF-8 file. Binary data must not count as a file
//! without rules, so damage is reported.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::encoding::unmarked_utf_16;

/// The decoded file, in UTF-8 as far as it is text.
#[derive(Debug)]
pub(super) struct DecodedText<'b> {
    pub bytes: Cow<'b, [u8]>,
    /// Whether the file has bytes that never occur in text.
    pub is_damaged: bool,
}

impl<'b> DecodedText<'b> {
    pub(super) fn decode(bytes: &'b [u8]) -> Self {
        if let Some(utf_16) = utf_16(bytes) {
            let (text, is_damaged) = utf_16.decode_without_bom_handling(bytes);
            let mut text = text.into_owned();
            text.retain(|c| c != '\0');
            return Self { bytes: Cow::Owned(text.into_bytes()), is_damaged };
        }
        if memchr::memchr(0, bytes).is_none() {
            return Self { bytes: Cow::Borrowed(bytes), is_damaged: bytes.iter().any(is_binary) };
        }
        let bytes = bytes.strip_prefix(UTF_32BE_MARK).unwrap_or(bytes);
        let text: Vec<u8> = bytes.iter().copied().filter(|&b| b != 0).collect();
        Self { bytes: Cow::Owned(text), is_damaged: true }
    }
}

const UTF_32BE_MARK: &[u8] = b"\0\0\xFE\xFF";

/// The UTF-16 encoding of a file, if it is in one.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let is_utf_16 = |encoding: &&Encoding| *encoding == UTF_16LE || *encoding == UTF_16BE;
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).filter(is_utf_16);
    marked.or_else(|| by_nul_bytes(bytes))
}

/// Detects UTF-16 without a mark: the first character and a quarter of all have NUL as the same one of their two
/// bytes, and the other byte is rarely NUL.
fn by_nul_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    let first_says = unmarked_utf_16(bytes)?;
    let (units, _) = bytes.as_chunks::<2>();
    let first = units.iter().filter(|unit| unit[0] == 0).count();
    let second = units.iter().filter(|unit| unit[1] == 0).count();
    let is_pattern = |nul: usize, other: usize| 4 * nul >= units.len() && 10 * other <= nul;
    let holds = if first_says == UTF_16LE { is_pattern(second, first) } else { is_pattern(first, second) };
    holds.then_some(first_says)
}

/// A byte that never occurs in text: a "binary data byte" of the MIME Sniffing Standard.
fn is_binary(byte: &u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F)
}
