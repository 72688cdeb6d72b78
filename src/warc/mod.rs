//! Web archives: files of captured responses.
//!
//! * [`WarcWriter`] writes what a crawl fetches, as WARC/1.1.
//! * [`RecordReader`] turns the bytes of an archive into records: WARC, ARC, compressed or not.
//! * [`wat`] reads the metadata records of WAT files: pages with their links, without their bodies.
//!
//! The HTTP message in the block of a record is read by [`crate::fetch::Response::from_archive`]. This module knows
//! neither the store nor the crawl.

mod read;
mod truncation;
pub mod wat;
mod write;

pub use read::{
    ArchiveError, ArchiveItem, ArchiveRecord, ReadLimits, RecordDigest, RecordHead, RecordKind,
    RecordPosition, RecordReader, SkipReason, SkippedRecord,
};
pub use truncation::Truncation;
pub use write::{HttpExchange, WarcError, WarcOptions, WarcWriter};
