//! Why an archive is refused, and why a record is skipped.

use std::fmt;
use std::io;

use super::position::RecordPosition;

/// The reason why no record of a file can be read, or why reading stops.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(
        "the file is no web archive; WARC, ARC and WAT files are read, plain or compressed by gzip or zstd"
    )]
    NotAnArchive,
    #[error(
        "the file is compressed by {0}, which is not read; compress it by gzip or zstd, or decompress it"
    )]
    Unsupported(&'static str),
    #[error("the zstd dictionary at the beginning of the file is damaged, or longer than {0} bytes")]
    Dictionary(usize),
}

/// A part of a file that cannot be read, where a record was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedRecord {
    pub position: RecordPosition,
    pub reason: SkipReason,
}

/// Why a record is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// Bytes between records.
    Garbage,
    /// The header exceeds its limit.
    HeaderTooLong,
    /// The header breaks off at the header of another record.
    Header,
    /// The header has no length, or several.
    NoLength,
    /// The block is shorter or longer than its length.
    WrongLength,
    /// The compressed data is damaged.
    Compression,
    /// The record exceeds the ratio of sizes.
    Ratio,
    /// The file ends within the record.
    Cut,
    /// The rest of the file is not read, because it has too many false beginnings of records.
    TooDamaged,
}

impl SkipReason {
    pub const ALL: [Self; 9] = [
        Self::Garbage,
        Self::HeaderTooLong,
        Self::Header,
        Self::NoLength,
        Self::WrongLength,
        Self::Compression,
        Self::Ratio,
        Self::Cut,
        Self::TooDamaged,
    ];

    /// A short name, for summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::HeaderTooLong => "header too long",
            Self::Header => "incomplete header",
            Self::NoLength => "no length",
            Self::WrongLength => "wrong length",
            Self::Compression => "damaged compression",
            Self::Ratio => "compression ratio",
            Self::Cut => "cut end",
            Self::TooDamaged => "too much damage",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Garbage => "bytes that belong to no record",
            Self::HeaderTooLong => "the header of the record is too long",
            Self::Header => "the header of the record breaks off",
            Self::NoLength => "the record has no usable Content-Length",
            Self::WrongLength => "the block is shorter or longer than the Content-Length of the record",
            Self::Compression => "the compressed data of the record is damaged",
            Self::Ratio => "the record expands to too many times its compressed size",
            Self::Cut => "the file ends within the record",
            Self::TooDamaged => {
                "the rest of the file has too many false beginnings of records, and is not read"
            }
        })
    }
}
