//! Compression of answers: gzip (RFC 1952) and zstd (RFC 8878), whole or as a stream.
//!
//! Equal bytes give equal compressed bytes, so that an entity tag can be made of them.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::negotiate::Coding;

/// zlib's own default is 6; 4 is twice as fast and a few hundredths larger on JSON.
const GZIP_LEVEL: u32 = 4;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// Compresses what is written to it, and writes that on.
pub enum Compressor<W: Write> {
    Identity(W),
    Gzip(GzEncoder<W>),
    Zstd(ZstdEncoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// # Errors
    /// When the system has no memory for the compressor.
    pub fn new(coding: Coding, out: W) -> io::Result<Self> {
        Ok(match coding {
            Coding::Identity => Self::Identity(out),
            Coding::Gzip => Self::Gzip(GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL))),
            Coding::Zstd => Self::Zstd(ZstdEncoder::new(out, ZSTD_LEVEL)?),
        })
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What the writer behind reports.
    pub fn finish(self) -> io::Result<W> {
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

/// The whole of some bytes, compressed.
///
/// # Errors
/// As [`Compressor::new`].
pub fn compressed(bytes: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(coding, Vec::with_capacity(bytes.len() / 4))?;
    compressor.write_all(bytes)?;
    compressor.finish()
}
