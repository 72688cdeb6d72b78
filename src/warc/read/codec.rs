//! Decodes one member: a gzip member (RFC 1952), a zstd frame (RFC 8878), or plain bytes.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::error::ArchiveError;

/// The beginnings of files that are compressed otherwise.
const UNSUPPORTED: [(&[u8], &str); 6] = [
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "ZIP (a WACZ file contains WARC files: unpack it)"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x9d", "compress"),
];

const GZIP: &[u8] = b"\x1f\x8b\x08";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The skippable frame that holds a dictionary.
pub(super) const DICTIONARY: &[u8] = b"\x5d\x2a\x4d\x18";

/// How a file is compressed.
pub(super) enum Codec {
    Plain,
    Gzip(Decompress),
    Zstd(Decoder<'static>),
}

/// The result of a call of [`Codec::decode`].
pub(super) struct DecodeStep {
    /// Bytes of the input that are done.
    pub taken: usize,
    /// Whether the member has ended.
    pub ended: bool,
}

/// Damaged compressed data.
pub(super) struct DamagedData;

impl Codec {
    /// The codec of a file that begins with these bytes. A dictionary is loaded later.
    pub(super) fn detect(beginning: &[u8], max_window_log: u32) -> Result<Self, ArchiveError> {
        if let Some((_, name)) = UNSUPPORTED.iter().find(|(magic, _)| beginning.starts_with(magic)) {
            return Err(ArchiveError::Unsupported(name));
        }
        let is_skippable = matches!(beginning, [low, 0x2a, 0x4d, 0x18, ..] if low & 0xf0 == 0x50);
        Ok(match beginning {
            [0x1f, 0x8b, ..] => Self::Gzip(Decompress::new_gzip(15)),
            _ if is_skippable || beginning.starts_with(ZSTD) => Self::zstd(&[], max_window_log)?,
            _ => Self::Plain,
        })
    }

    /// A zstd codec with a dictionary, which may be empty.
    pub(super) fn zstd(dictionary: &[u8], max_window_log: u32) -> Result<Self, ArchiveError> {
        let mut decoder = Decoder::with_dictionary(dictionary)?;
        decoder.set_parameter(DParameter::WindowLogMax(max_window_log))?;
        Ok(Self::Zstd(decoder))
    }

    /// The first bytes of each member; empty for a plain file, which has only one.
    pub(super) fn magic(&self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Gzip(_) => GZIP,
            Self::Zstd(_) => ZSTD,
        }
    }

    /// Bytes that a false beginning of a member costs.
    pub(super) fn cost_of_start(&self) -> u64 {
        match self {
            Self::Plain => 0,
            Self::Gzip(_) => 1 << 10,
            // A whole block.
            Self::Zstd(_) => 128 << 10,
        }
    }

    /// Prepares for the next member.
    pub(super) fn reset(&mut self) {
        match self {
            Self::Plain => {}
            Self::Gzip(inflater) => inflater.reset(true),
            // An error would show in the next call.
            Self::Zstd(decoder) => _ = decoder.reinit(),
        }
    }

    /// Decodes into the spare capacity of `output`. A call without input may still produce output.
    pub(super) fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<DecodeStep, DamagedData> {
        match self {
            Self::Plain => {
                let taken = input.len().min(output.capacity() - output.len());
                output.extend_from_slice(&input[..taken]);
                Ok(DecodeStep { taken, ended: false })
            }
            Self::Gzip(inflater) => {
                let before = inflater.total_in();
                let status = inflater.decompress_vec(input, output, FlushDecompress::None);
                let taken = usize::try_from(inflater.total_in() - before).unwrap_or(input.len());
                let status = status.map_err(|_| DamagedData)?;
                Ok(DecodeStep { taken, ended: status == Status::StreamEnd })
            }
            Self::Zstd(decoder) => {
                let mut source = InBuffer::around(input);
                let length = output.len();
                let hint = decoder
                    .run(&mut source, &mut OutBuffer::around_pos(output, length))
                    .map_err(|_| DamagedData)?;
                Ok(DecodeStep { taken: source.pos(), ended: hint == 0 })
            }
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

/// The content of a dictionary frame, decompressed if it is compressed; `None` when that exceeds `max_bytes` or fails.
pub(super) fn dictionary(content: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    match content.starts_with(ZSTD) {
        true => zstd::bulk::decompress(content, max_bytes).ok(),
        false => Some(content.to_vec()),
    }
}
