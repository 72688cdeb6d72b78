//! Decodes the chunked coding (RFC 9112, 7.1), as tolerantly as browsers do.
//!
//! Lines may end with LF alone, and any text behind the size on its line is an extension. Trailer fields are not
//! read.

use bytes::Bytes;

/// Decodes a body piece by piece.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    state: ChunkState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// Behind a digit, with the size so far.
    Size(u64),
    /// Behind the size, before the end of its line.
    Extension(u64),
    /// In a chunk, with the number of its remaining bytes.
    Data(u64),
    /// Behind a chunk, before the end of its line.
    DataEnd,
    /// Behind the last chunk.
    End,
}

/// A malformed chunked body.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the size of a chunk is not a number, or its data is longer")]
pub(super) struct Malformed;

impl ChunkDecoder {
    /// Whether the last chunk has ended.
    pub(super) fn is_at_end(&self) -> bool {
        self.state == ChunkState::End
    }

    /// Takes the next data from `input`; `None` when all input is consumed without any.
    ///
    /// # Errors
    /// [`Malformed`] when the coding is broken.
    pub(super) fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Malformed> {
        while !input.is_empty() && !self.is_at_end() {
            if let ChunkState::Data(left) = self.state {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let left = left - length as u64;
                self.state = if left == 0 { ChunkState::DataEnd } else { ChunkState::Data(left) };
                return Ok(Some(input.split_to(length)));
            }
            let byte = input.split_to(1)[0];
            self.state = self.next(byte).ok_or(Malformed)?;
        }
        Ok(None)
    }

    fn next(&self, byte: u8) -> Option<ChunkState> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        let line_end = |size| if size == 0 { ChunkState::End } else { ChunkState::Data(size) };
        Some(match (self.state, byte, digit) {
            (ChunkState::Start, _, Some(digit)) => ChunkState::Size(digit),
            (ChunkState::Size(size), _, Some(digit)) => {
                ChunkState::Size(size.checked_mul(16).and_then(|size| size.checked_add(digit))?)
            }
            (ChunkState::Size(size) | ChunkState::Extension(size), b'\n', _) => line_end(size),
            (ChunkState::Size(size), b' ' | b'\t' | b';' | b'\r', _) | (ChunkState::Extension(size), ..) => {
                ChunkState::Extension(size)
            }
            (ChunkState::DataEnd, b'\r', _) => ChunkState::DataEnd,
            (ChunkState::DataEnd, b'\n', _) => ChunkState::Start,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output for these pieces, and the final state.
    fn decoded(pieces: &[&[u8]]) -> (Vec<u8>, Result<bool, Malformed>) {
        let (mut decoder, mut body) = (ChunkDecoder::default(), Vec::new());
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            loop {
                match decoder.decode(&mut piece) {
                    Ok(Some(data)) => body.extend_from_slice(&data),
                    Ok(None) => break,
                    Err(malformed) => return (body, Err(malformed)),
                }
            }
        }
        (body, Ok(decoder.is_at_end()))
    }

    #[test]
    fn chunks_are_decoded_with_any_line_end() {
        for text in [
            "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
            "5\nhello\n7\n, world\n0\n\n",
            "0005\r\nhello\r\n7 \r\n, world\r\n000\r\nTrailer: x\r\n\r\n",
            "5;a=b\r\nhello\r\n7 ;c=\"d;e\"\r\n, world\r\n0;f\r\nanything",
            "1\r\nh\r\nB\r\nello, world\r\n0\r\n",
            "C\r\nhello, world\r\r\n0\n",
        ] {
            let bytes = text.as_bytes();
            let each: Vec<&[u8]> = bytes.chunks(1).collect();
            for pieces in [vec![bytes], each, vec![&bytes[..6], &bytes[6..]]] {
                assert_eq!(decoded(&pieces), (b"hello, world".to_vec(), Ok(true)), "{text:?}");
            }
        }
    }

    #[test]
    fn incomplete_and_malformed_chunks_are_reported() {
        for (text, body, end) in [
            ("", "", Ok(false)),
            ("5\r\nhel", "hel", Ok(false)),
            ("5\r\nhello\r\n", "hello", Ok(false)),
            ("5\r\nhello\r\n0", "hello", Ok(false)),
            ("<p>no chunk", "", Err(Malformed)),
            ("\r\n5\r\nhello", "", Err(Malformed)),
            (" 5\r\nhello", "", Err(Malformed)),
            ("-5\r\nhello", "", Err(Malformed)),
            ("0x5\r\nhello", "", Err(Malformed)),
            ("5\r\nhello, world", "hello", Err(Malformed)),
            ("5\r\nhello\r\nzz\r\n", "hello", Err(Malformed)),
            ("fffffffffffffffff\r\nhello", "", Err(Malformed)),
            ("ffffffffffffffff\r\nhello", "hello", Ok(false)),
        ] {
            assert_eq!(decoded(&[text.as_bytes()]), (body.as_bytes().to_vec(), end), "{text:?}");
        }
    }
}
