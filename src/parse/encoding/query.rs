//! Query strings in the legacy encoding of a document: "percent-encode after encoding" of the WHATWG URL Standard.

use std::borrow::Cow;

use encoding_rs::{EncoderResult, Encoding, ISO_2022_JP, UTF_8};

/// The encoding of query strings in a document in `encoding`; `None` for UTF-8.
pub(crate) fn query_encoding(encoding: &'static Encoding) -> Option<&'static Encoding> {
    Some(encoding.output_encoding()).filter(|output| *output != UTF_8)
}

/// Encodes a query string. A character outside the encoding becomes a percent-encoded decimal character reference.
pub(crate) fn encode_query<'q>(encoding: &'static Encoding, query: &'q str) -> Cow<'q, [u8]> {
    if query.is_ascii() && encoding != ISO_2022_JP {
        return Cow::Borrowed(query.as_bytes());
    }
    let mut encoder = encoding.new_encoder();
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query;
    loop {
        let bytes_left = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        bytes.reserve(bytes_left.unwrap_or(rest.len()).max(16));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return Cow::Owned(bytes),
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(c) => {
                bytes.extend_from_slice(format!("%26%23{}%3B", u32::from(c)).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values come from Python's codecs.
    #[test]
    fn queries_are_written_in_the_encoding_of_the_document() {
        for (label, query, bytes) in [
            ("windows-1252", "q=é€", &b"q=\xe9\x80"[..]),
            ("koi8-r", "Привет", b"\xf0\xd2\xc9\xd7\xc5\xd4"),
            ("shift_jis", "日本{", b"\x93\xfa\x96{{"),
            ("iso-2022-jp", "a日b", b"a\x1b$BF|\x1b(Bb"),
            ("gb18030", "😀", b"\x949\xfc6"),
            ("windows-1251", "aé", b"a%26%23233%3B"),
            ("iso-2022-jp", "日é日", b"\x1b$BF|\x1b(B%26%23233%3B\x1b$BF|\x1b(B"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            assert_eq!(query_encoding(encoding), Some(encoding));
            assert_eq!(encode_query(encoding, query), bytes, "{label} {query}");
        }
        assert_eq!(query_encoding(encoding_rs::UTF_16LE), None);
        assert_eq!(query_encoding(encoding_rs::REPLACEMENT), None);
    }
}
