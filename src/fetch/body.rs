//! Taking an answer's content encodings off, with a bound on what comes out.
//!
//! In go the bytes as they came over the wire and the encodings that the server named; out come the bytes it
//! meant. Synchronous, for it may take long: call it off the async threads. No step ever holds more than the cap
//! allows, however small the input is that inflates (a "bomb"): each decoder is read piece by piece, and the
//! steps between stacked encodings are bounded too.
//!
//! gzip is RFC 1952 (several members are one text; what follows the last is ignored, as browsers do), deflate
//! RFC 1950 and, because servers send it, bare RFC 1951, br RFC 7932, zstd RFC 8878 with the window of RFC 9659.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::model::Cut;

/// An encoding that a server says it has applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl ContentEncoding {
    /// Reads the values of `Content-Encoding` headers, in the order in which they were applied. A name that is none of
    /// those that we ask for is left out, as browsers do: servers write charsets there, and what they send is plain.
    pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        values
            .into_iter()
            .flat_map(|value| value.split(','))
            .filter_map(|name| match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => Some(Self::Gzip),
                "deflate" => Some(Self::Deflate),
                "br" => Some(Self::Brotli),
                "zstd" => Some(Self::Zstd),
                _ => None,
            })
            .collect()
    }
}

/// A body without its encodings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub bytes: Bytes,
    /// Why the end is missing: on the wire, at the cap, or because an encoding breaks off.
    pub cut: Option<Cut>,
    /// What exactly is wrong with an encoding that breaks off; else empty.
    pub cause: String,
}

/// Why a body cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the body is said to be encoded {0} times over; at most {MAX_STACKED} are undone")]
    Stacked(usize),
    #[error("the body is not what its content encoding says: {0}")]
    Broken(io::Error),
}

/// More than two are never sent in earnest; twice as many are undone, for undoing them is cheap.
const MAX_STACKED: usize = 4;

/// Largest window a zstd body may ask for: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

const PIECE: usize = 32 << 10;

/// What pages are longer by when their encoding is off: room for that is made at once.
const USUAL_RATIO: usize = 8;

/// Undoes `encodings`, last first, and stops at `cap` bytes. A body is decoded as far as it goes: one that breaks off,
/// or is damaged behind its beginning, is cut there, as browsers show it.
///
/// # Errors
/// [`DecodeError`] when the body does not even begin as an encoding says, or there are too many.
pub fn decode(
    encodings: &[ContentEncoding],
    body: &Bytes,
    cut: Option<Cut>,
    cap: usize,
) -> Result<Decoded, DecodeError> {
    decode_within(encodings, body, cut, cap, |_| ())
}

/// As [`decode`]; `grow` is told how many bytes that takes before it takes them, and may wait.
///
/// # Errors
/// As of [`decode`].
pub fn decode_within(
    encodings: &[ContentEncoding],
    body: &Bytes,
    cut: Option<Cut>,
    cap: usize,
    grow: impl FnMut(usize),
) -> Result<Decoded, DecodeError> {
    if body.is_empty() || encodings.is_empty() {
        let bytes = body.slice(..body.len().min(cap));
        let cut = cut.or((bytes.len() < body.len()).then_some(Cut::Length));
        return Ok(Decoded { bytes, cut, cause: String::new() });
    }
    if encodings.len() > MAX_STACKED {
        return Err(DecodeError::Stacked(encodings.len()));
    }
    let cut = Rc::new(Cell::new(cut));
    let mut reader: Box<dyn BufRead> = Box::new(io::Cursor::new(body.clone()));
    for encoding in encodings.iter().rev() {
        let step = Capped { inner: decoder(encoding, reader)?, left: cap, cut: cut.clone() };
        reader = Box::new(BufReader::with_capacity(PIECE, step));
    }
    read_all(reader, body.len().saturating_mul(USUAL_RATIO).min(cap), &cut, grow)
}

fn read_all(
    mut reader: Box<dyn BufRead>,
    expected: usize,
    cut: &Cell<Option<Cut>>,
    mut grow: impl FnMut(usize),
) -> Result<Decoded, DecodeError> {
    grow(expected);
    let mut bytes = Vec::with_capacity(expected);
    loop {
        let piece = match reader.fill_buf() {
            Ok([]) => return Ok(Decoded { bytes: bytes.into(), cut: cut.get(), cause: String::new() }),
            Ok(piece) => piece,
            Err(error) if bytes.is_empty() && cut.get().is_none() => return Err(DecodeError::Broken(error)),
            Err(error) => {
                let cause = cut.get().map_or_else(|| error.to_string(), |_| String::new());
                return Ok(Decoded { bytes: bytes.into(), cut: cut.get().or(Some(Cut::Encoding)), cause });
            }
        };
        if bytes.len() + piece.len() > bytes.capacity() {
            // For a moment, the old ones are there besides.
            grow(3 * bytes.capacity().max(PIECE));
        }
        bytes.extend_from_slice(piece);
        let length = piece.len();
        reader.consume(length);
    }
}

fn decoder(encoding: &ContentEncoding, mut source: Box<dyn BufRead>) -> Result<Box<dyn Read>, DecodeError> {
    Ok(match encoding {
        // Servers call zlib streams gzip.
        ContentEncoding::Gzip if is_zlib(source.fill_buf().map_err(DecodeError::Broken)?) => {
            Box::new(Deflate { source, inflater: None, ended: false })
        }
        ContentEncoding::Gzip => Box::new(Gzip { member: Some(GzDecoder::new(source)), is_first: true }),
        ContentEncoding::Deflate => Box::new(Deflate { source, inflater: None, ended: false }),
        ContentEncoding::Brotli => {
            let source = Ending { inner: source, ended: false };
            Box::new(Brotli(brotli::Decompressor::new(source, PIECE)))
        }
        ContentEncoding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(source).map_err(DecodeError::Broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(DecodeError::Broken)?;
            Box::new(decoder)
        }
    })
}

/// Whether a stream begins as RFC 1950 says: method 8, a window of at most 32 KiB, and the check of both bytes.
fn is_zlib(stream: &[u8]) -> bool {
    matches!(stream, [method, flags, ..] if method & 0x8f == 0x08
        && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// Ends after `left` bytes, and notes it if there would have been more.
struct Capped {
    inner: Box<dyn Read>,
    left: usize,
    cut: Rc<Cell<Option<Cut>>>,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            if self.inner.read(&mut [0])? > 0 {
                self.cut.set(self.cut.get().or(Some(Cut::Length)));
            }
            return Ok(0);
        }
        let room = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..room])?;
        self.left -= read;
        Ok(read)
    }
}

/// gzip members one after the other; no member is left after the last.
struct Gzip {
    member: Option<GzDecoder<Box<dyn BufRead>>>,
    is_first: bool,
}

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = match member.read(buffer) {
                // What looks like a member and has no header of one is padding behind the last.
                Err(_) if !self.is_first && member.header().is_none() => {
                    self.member = None;
                    break;
                }
                read => read?,
            };
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut source) = self.member.take().map(GzDecoder::into_inner) else { break };
            if source.fill_buf()?.starts_with(&[0x1f]) {
                self.member = Some(GzDecoder::new(source));
                self.is_first = false;
            }
        }
        Ok(0)
    }
}

/// deflate, of which the first byte says whether it is wrapped as zlib.
struct Deflate {
    source: Box<dyn BufRead>,
    inflater: Option<Decompress>,
    ended: bool,
}

impl Read for Deflate {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let input = self.source.fill_buf()?;
            if input.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the deflate stream has no end"));
            }
            let inflater = self.inflater.get_or_insert_with(|| {
                // Method 8 with a window of at most 32 KiB. A bare stream that begins so would be a stored block
                // with padding bits set, which no encoder writes.
                Decompress::new(input[0] & 0x8f == 0x08)
            });
            let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(input, buffer, FlushDecompress::None);
            let taken = usize::try_from(inflater.total_in() - before_in).unwrap_or(input.len());
            let read = usize::try_from(inflater.total_out() - before_out).unwrap_or(buffer.len());
            self.ended = matches!(status, Ok(Status::StreamEnd));
            self.source.consume(taken);
            if read > 0 {
                // Where the stream is damaged behind that, the next call fails.
                return Ok(read);
            }
            if status? != Status::StreamEnd && taken == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the deflate stream is damaged"));
            }
        }
        Ok(0)
    }
}

/// Notes when its source has ended.
struct Ending {
    inner: Box<dyn BufRead>,
    ended: bool,
}

impl Read for Ending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.ended |= read == 0;
        Ok(read)
    }
}

/// brotli, whose decoder reports a missing end and broken data alike: they are told apart by the source.
struct Brotli(brotli::Decompressor<Ending>);

impl Read for Brotli {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match self.0.get_ref().ended {
            true => io::Error::new(io::ErrorKind::UnexpectedEof, "the brotli stream has no end"),
            false => error,
        })
    }
}
