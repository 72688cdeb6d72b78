//! Taking the chunked coding off (RFC 9112, 7.1), as tolerantly as browsers do.
//!
//! Lines may end with LF alone, and whatever follows the size on its line is an extension. Trailer fields are not read.

use bytes::Bytes;

/// Reads a body piece by piece.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// Behind a digit; the size so far.
    Size(u64),
    /// Behind the size, before the end of its line.
    Extension(u64),
    /// In a chunk of which so many bytes are left.
    Data(u64),
    /// Behind a chunk, before the end of its line.
    DataEnd,
    /// Behind the last chunk.
    End,
}

/// What is wrong with a chunked body.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the size of a chunk is no number, or its data is longer")]
pub(super) struct Malformed;

impl ChunkDecoder {
    /// Whether the last chunk has come.
    pub fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    /// Takes the first data off `input`; `None` when there is none in it, and all of it is taken.
    ///
    /// # Errors
    /// [`Malformed`] when the coding is broken.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Malformed> {
        while !input.is_empty() && !self.is_at_end() {
            if let State::Data(left) = self.state {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let left = left - length as u64;
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                return Ok(Some(input.split_to(length)));
            }
            let byte = input.split_to(1)[0];
            self.state = self.next(byte).ok_or(Malformed)?;
        }
        Ok(None)
    }

    fn next(&self, byte: u8) -> Option<State> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        let line_end = |size| if size == 0 { State::End } else { State::Data(size) };
        Some(match (self.state, byte, digit) {
            (State::Start, _, Some(digit)) => State::Size(digit),
            (State::Size(size), _, Some(digit)) => {
                State::Size(size.checked_mul(16).and_then(|size| size.checked_add(digit))?)
            }
            (State::Size(size) | State::Extension(size), b'\n', _) => line_end(size),
            (State::Size(size), b' ' | b'\t' | b';' | b'\r', _) | (State::Extension(size), ..) => {
                State::Extension(size)
            }
            (State::DataEnd, b'\r', _) => State::DataEnd,
            (State::DataEnd, b'\n', _) => State::Start,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that comes out of these pieces, and how it ends.
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
    fn chunks_are_read_however_their_lines_end() {
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
    fn what_is_not_whole_or_no_chunk_is_told() {
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
