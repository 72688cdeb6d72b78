//! Response compression: gzip (RFC 1952) and zstd (RFC 8878), for whole bodies and for streams.
//!
//! Equal input gives equal output, so that an entity tag can be computed from the compressed bytes.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::negotiation::ContentCoding;

/// zlib's default is 6; level 4 is twice as fast, and its output is a few percent larger on JSON.
const GZIP_LEVEL: u32 = 4;
/// zstd's default.
const ZSTD_LEVEL: i32 = 3;
/// The highest level whose decoder needs no additional memory.
const ZSTD_BEST_LEVEL: i32 = 19;

/// Compresses the bytes written to it, and writes them to the inner writer.
pub(crate) enum Compressor<W: Write> {
    Identity(W),
    Gzip(GzEncoder<W>),
    Zstd(ZstdEncoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// # Errors
    /// When the system has no memory for the compressor.
    pub(crate) fn new(coding: ContentCoding, out: W) -> io::Result<Self> {
        Ok(match coding {
            ContentCoding::Identity => Self::Identity(out),
            ContentCoding::Gzip => Self::Gzip(GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL))),
            ContentCoding::Zstd => Self::Zstd(ZstdEncoder::new(out, ZSTD_LEVEL)?),
        })
    }

    /// Writes the remaining bytes, and returns the inner writer.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Identity(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Identity(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Identity(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// Compresses a whole body.
///
/// # Errors
/// As [`Compressor::new`].
pub(crate) fn compressed(bytes: &[u8], coding: ContentCoding) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(coding, Vec::with_capacity(bytes.len() / 4))?;
    compressor.write_all(bytes)?;
    compressor.finish()
}

/// Compresses a body that is sent many times, as small as it gets.
///
/// # Errors
/// As [`Compressor::new`].
pub(crate) fn compressed_best(bytes: &[u8], coding: ContentCoding) -> io::Result<Vec<u8>> {
    match coding {
        ContentCoding::Identity => Ok(bytes.to_vec()),
        ContentCoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        ContentCoding::Zstd => zstd::stream::encode_all(bytes, ZSTD_BEST_LEVEL),
    }
}
