//! Reads archives: bytes in, records out.
//!
//! | format | source |
//! |---|---|
//! | WARC 0.17 to 1.1 | ISO 28500:2009 and 28500:2017, <https://iipc.github.io/warc-specifications/> |
//! | ARC 1 and 2 | <https://archive.org/web/researcher/ArcFileFormat.php> |
//! | gzip by record, or whole | RFC 1952; WARC 1.1, annex D |
//! | zstd by record, or whole, with or without a dictionary | RFC 8878; IIPC, Zstandard Compression for WARC Files 1.0 |
//!
//! The content decides the format, never the name of the file.
//!
//! * A *member* is a gzip member or a zstd frame; a plain file is one member. A record usually has a member of its
//!   own. It may also continue in the next member, unless that member begins with a record.
//! * A record is returned only when its whole block was read and the checksum of its member is right, if both end
//!   together. Otherwise it is returned as a [`SkippedRecord`], and reading goes on at the next record.
//! * Memory is bounded by [`ReadLimits`], never by what a record says of itself. So is time: damage makes the reader
//!   read bytes twice, and it stops when it has done so too often.
//!
//! The layers, from bytes to records: [`input`] reads and seeks, [`codec`] decodes one member, [`unpacker`] joins
//! the members to one stream of bytes, and [`reader`] finds the records in it. [`head`] and [`arc`] read their headers.

mod arc;
mod codec;
mod date;
mod digest;
mod error;
mod fields;
mod head;
mod input;
mod position;
mod reader;
mod starts;
mod unpacker;

pub use digest::RecordDigest;
pub use error::{ArchiveError, SkipReason, SkippedRecord};
pub use head::{RecordHead, RecordKind};
pub use position::RecordPosition;
pub use reader::{ArchiveItem, ArchiveRecord, RecordReader};

pub(in crate::warc) use date::parse_date;

/// The limits of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of the header of a record at most, and so of a line in it.
    pub max_header_bytes: usize,
    /// Bytes of a block that are kept at most; the rest is cut.
    pub max_block_bytes: usize,
    /// Ratio at most of the size of a record to its compressed size. Records of fewer bytes than a header and a block
    /// may have are exempt.
    pub max_ratio: u64,
    /// Bytes at the beginning of a file that are searched for a first record.
    pub max_lead_bytes: u64,
    /// Bytes of a zstd dictionary at most.
    pub max_dictionary_bytes: usize,
    /// Logarithm to base 2 of the memory of a zstd decoder.
    pub max_window_log: u32,
    /// Bytes that damage may make the reader read twice, in addition to four times the bytes read so far.
    pub max_reread_bytes: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_header_bytes: 64 << 10,
            max_block_bytes: 16 << 20,
            max_ratio: 200,
            max_lead_bytes: 1 << 20,
            max_dictionary_bytes: 16 << 20,
            // The limit of zstd's own programs.
            max_window_log: 27,
            max_reread_bytes: 64 << 20,
        }
    }
}
