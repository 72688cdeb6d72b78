//! Removes the content encodings of a body, with a bound on the output.
//!
//! The input is the bytes from the wire and the encodings that the server named; the output is the decoded bytes.
//! Decoding is synchronous and may take long: call it off the async threads. No step holds more than the cap, however
//! far a small input inflates (a "bomb"). Each decoder is read in pieces, and the steps between stacked encodings are
//! bounded too.
//!
//! gzip is RFC 1952; several members form one text, and bytes behind the last one are ignored, as in browsers.
//! deflate is RFC 1950 and, because servers send it, bare RFC 1951. br is RFC 7932. zstd is RFC 8878 with the window
//! of RFC 9659.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::model::Cut;

/// A content encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl ContentEncoding {
    /// Parses the values of `Content-Encoding` headers, in the order of application. Unknown names are left out, as
    /// in browsers: servers write charsets there, and such bodies are plain.
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

/// A decoded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub bytes: Bytes,
    /// Why the end is missing: on the wire, at the cap, or in an encoding that breaks off.
    pub cut: Option<Cut>,
    /// The error of an encoding that breaks off; else empty.
    pub cause: String,
}

/// The reason why a body cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the body is said to be encoded {0} times over; at most {MAX_STACKED} are undone")]
    Stacked(usize),
    #[error("the body contradicts its content encoding: {0}")]
    Broken(io::Error),
}

/// Real servers stack at most two. Twice as many are decoded, since that is cheap.
const MAX_STACKED: usize = 4;

/// Maximum window of a zstd body: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

const BUFFER_BYTES: usize = 32 << 10;

/// Expected ratio of decoded to encoded size; this much memory is allocated at once.
const EXPECTED_RATIO: usize = 8;

/// Decodes `encodings`, last first, and stops at `cap` bytes. A body that breaks off, or is damaged after its start,
/// is cut at that point, as in browsers.
///
/// # Errors
/// [`DecodeError`] when the start of the body contradicts its encoding, or there are too many encodings.
pub fn decode(
    encodings: &[ContentEncoding],
    body: &Bytes,
    cut: Option<Cut>,
    cap: usize,
) -> Result<Decoded, DecodeError> {
    decode_within(encodings, body, cut, cap, |_| ())
}

/// As [`decode`]. `grow` gets the number of bytes before they are allocated, and may block.
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
        let step = LimitedReader { inner: decoder(encoding, reader)?, left: cap, cut: cut.clone() };
        reader = Box::new(BufReader::with_capacity(BUFFER_BYTES, step));
    }
    read_all(reader, body.len().saturating_mul(EXPECTED_RATIO).min(cap), &cut, grow)
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
            // While the buffer grows, the old one exists too.
            grow(3 * bytes.capacity().max(BUFFER_BYTES));
        }
        bytes.extend_from_slice(piece);
        let length = piece.len();
        reader.consume(length);
    }
}

fn decoder(encoding: &ContentEncoding, mut source: Box<dyn BufRead>) -> Result<Box<dyn Read>, DecodeError> {
    Ok(match encoding {
        // Servers send zlib streams as gzip.
        ContentEncoding::Gzip if is_zlib(source.fill_buf().map_err(DecodeError::Broken)?) => {
            Box::new(Deflate { source, inflater: None, ended: false })
        }
        ContentEncoding::Gzip => Box::new(Gzip { member: Some(GzDecoder::new(source)), is_first: true }),
        ContentEncoding::Deflate => Box::new(Deflate { source, inflater: None, ended: false }),
        ContentEncoding::Brotli => {
            let source = EofTracker { inner: source, ended: false };
            Box::new(Brotli(brotli::Decompressor::new(source, BUFFER_BYTES)))
        }
        ContentEncoding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(source).map_err(DecodeError::Broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(DecodeError::Broken)?;
            Box::new(decoder)
        }
    })
}

/// Whether a stream starts like RFC 1950: method 8, a window of at most 32 KiB, and the check of both bytes.
fn is_zlib(stream: &[u8]) -> bool {
    matches!(stream, [method, flags, ..] if method & 0x8f == 0x08
        && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// Ends after `left` bytes, and records a cut if the source has more.
struct LimitedReader {
    inner: Box<dyn Read>,
    left: usize,
    cut: Rc<Cell<Option<Cut>>>,
}

impl Read for LimitedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            if self.inner.read(&mut [0])? > 0 {
                self.cut.set(self.cut.get().or(Some(Cut::Length)));
            }
            return Ok(0);
        }
        let reservation = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..reservation])?;
        self.left -= read;
        Ok(read)
    }
}

/// Consecutive gzip members; `None` after the last one.
struct Gzip {
    member: Option<GzDecoder<Box<dyn BufRead>>>,
    is_first: bool,
}

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = match member.read(buffer) {
                // Bytes that look like a member but have no member header are padding after the last one.
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

/// deflate, with or without a zlib wrapper, by its first byte.
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
                // Method 8 with a window of at most 32 KiB. A bare stream with this byte would start with a stored
                // block whose padding bits are set, which no encoder writes.
                Decompress::new(input[0] & 0x8f == 0x08)
            });
            let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(input, buffer, FlushDecompress::None);
            let taken = usize::try_from(inflater.total_in() - before_in).unwrap_or(input.len());
            let read = usize::try_from(inflater.total_out() - before_out).unwrap_or(buffer.len());
            self.ended = matches!(status, Ok(Status::StreamEnd));
            self.source.consume(taken);
            if read > 0 {
                // If the stream is damaged after these bytes, the next call fails.
                return Ok(read);
            }
            if status? != Status::StreamEnd && taken == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the deflate stream is damaged"));
            }
        }
        Ok(0)
    }
}

/// Records the end of its source.
struct EofTracker {
    inner: Box<dyn BufRead>,
    ended: bool,
}

impl Read for EofTracker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.ended |= read == 0;
        Ok(read)
    }
}

/// brotli. Its decoder reports a missing end like broken data; the state of the source tells them apart.
struct Brotli(brotli::Decompressor<EofTracker>);

impl Read for Brotli {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match self.0.get_ref().ended {
            true => io::Error::new(io::ErrorKind::UnexpectedEof, "the brotli stream has no end"),
            false => error,
        })
    }
}
