//! Decodes a file to UTF-8 text, as a stream.
//!
//! gzip is removed repeatedly, up to a limit, since servers compress files that are already compressed. Several
//! members form one text, and bytes behind the last one are ignored. The encoding comes from the first of these
//! sources: a byte order mark; UTF-16 detected by NUL bytes; the `Content-Type` header; the XML declaration (RFC
//! 7303, 3.2; XML 1.0, appendix F); UTF-8. Unknown labels are ignored.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use encoding_rs::{Decoder, Encoding, REPLACEMENT, UTF_8};
use flate2::bufread::GzDecoder;

use super::SitemapError;
use crate::config::SitemapsConfig;
use crate::encoding::{encoding_of_label, unmarked_utf_16, xml_label};

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes inspected for the encoding, as many as in the HTML standard.
const SNIFFED_BYTES: usize = 1_024;

/// Bytes of text decoded per step.
const BUFFER_BYTES: usize = 8 << 10;

/// The text of a file.
pub(super) struct SitemapReader<'b> {
    pub(super) text: Box<dyn BufRead + 'b>,
    cut: Rc<Cell<bool>>,
}

impl<'b> SitemapReader<'b> {
    /// `charset`: the label in the `Content-Type` header.
    ///
    /// # Errors
    /// [`SitemapError::Layers`] when gzip was applied too often.
    pub(super) fn new(
        bytes: &'b [u8],
        charset: Option<&str>,
        limits: &SitemapsConfig,
    ) -> Result<Self, SitemapError> {
        let cut = Rc::new(Cell::new(false));
        let bounded = |inner| Box::new(BoundedReader { inner, left: limits.max_bytes, cut: Rc::clone(&cut) });
        let mut text: Box<dyn BufRead + 'b> = bounded(Box::new(bytes));
        let mut layers = 0;
        let start = loop {
            let (start, whole) = peek(text);
            text = whole;
            if !start.starts_with(&GZIP) {
                break start;
            }
            if layers == limits.max_gzip_layers {
                return Err(SitemapError::Layers(layers));
            }
            layers += 1;
            text = bounded(Box::new(BufReader::new(GzipMembers(Some(GzDecoder::new(text))))));
        };
        let encoding = encoding_of(&start, charset);
        if encoding != UTF_8 {
            let decoder = encoding.new_decoder_without_bom_handling();
            text = bounded(Box::new(Transcoded::new(text, decoder)));
        }
        Ok(Self { text, cut })
    }

    /// Whether the text exceeds the limit, as far as it was read.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.get()
    }
}

fn encoding_of(start: &[u8], charset: Option<&str>) -> &'static Encoding {
    let of_label = |label: &[u8]| encoding_of_label(label).filter(|encoding| *encoding != REPLACEMENT);
    Encoding::for_bom(start)
        .map(|(encoding, _)| encoding)
        .or_else(|| unmarked_utf_16(start))
        .or_else(|| of_label(charset?.as_bytes()))
        .or_else(|| of_label(xml_label(start.trim_ascii_start())?))
        .unwrap_or(UTF_8)
}

/// The start of a text, and the whole of it.
fn peek<'b>(mut text: Box<dyn BufRead + 'b>) -> (Vec<u8>, Box<dyn BufRead + 'b>) {
    let mut start = Vec::with_capacity(SNIFFED_BYTES);
    let read = text.as_mut().take(SNIFFED_BYTES as u64).read_to_end(&mut start);
    let whole = Cursor::new(start.clone());
    match read {
        Ok(_) => (start, Box::new(whole.chain(text))),
        // The bytes before an error count.
        Err(error) => (start, Box::new(BufReader::new(whole.chain(Broken(error))))),
    }
}

/// A reader that returns its error.
struct Broken(io::Error);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0.kind(), self.0.to_string()))
    }
}

/// Ends after `left` bytes, and records a cut if the source has more.
struct BoundedReader<'b> {
    inner: Box<dyn BufRead + 'b>,
    left: usize,
    cut: Rc<Cell<bool>>,
}

impl BufRead for BoundedReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let piece = self.inner.fill_buf()?;
        if self.left == 0 && !piece.is_empty() {
            self.cut.set(true);
        }
        Ok(&piece[..piece.len().min(self.left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.left -= bytes;
        self.inner.consume(bytes);
    }
}

impl Read for BoundedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// Consecutive gzip members; `None` after the last one.
struct GzipMembers<'b>(Option<GzDecoder<Box<dyn BufRead + 'b>>>);

impl Read for GzipMembers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else { break };
            if rest.fill_buf()?.starts_with(&GZIP[..1]) {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// A text in another encoding, converted to UTF-8. Malformed bytes become U+FFFD.
struct Transcoded<'b> {
    inner: Box<dyn BufRead + 'b>,
    decoder: Decoder,
    piece: Box<[u8; BUFFER_BYTES]>,
    /// The unread range of the buffer.
    unread: (usize, usize),
    ended: bool,
}

impl<'b> Transcoded<'b> {
    fn new(inner: Box<dyn BufRead + 'b>, decoder: Decoder) -> Self {
        Self { inner, decoder, piece: Box::new([0; BUFFER_BYTES]), unread: (0, 0), ended: false }
    }
}

impl BufRead for Transcoded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.unread.0 == self.unread.1 && !self.ended {
            let input = self.inner.fill_buf()?;
            let is_last = input.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(input, &mut self.piece[..], is_last);
            self.inner.consume(read);
            self.unread = (0, written);
            self.ended = is_last && result == encoding_rs::CoderResult::InputEmpty;
        }
        Ok(&self.piece[self.unread.0..self.unread.1])
    }

    fn consume(&mut self, bytes: usize) {
        self.unread.0 += bytes;
    }
}

impl Read for Transcoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

fn read_buffered(reader: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let read = reader.fill_buf()?.read(buffer)?;
    reader.consume(read);
    Ok(read)
}
