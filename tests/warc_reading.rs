//! The reader of archives: real archives as another reader sees them, every container, damage, and bounds.

mod bounds;
mod containers;
mod damage;
mod made;
mod programs;
mod samples;
mod wat_records;

use std::io::{Cursor, Read, Seek};

use backlinkd::warc::{ArchiveError, ArchiveItem, ArchiveRecord, ReadLimits, RecordReader, SkippedRecord};

/// The records of a file, and what was skipped.
#[derive(Debug, Default)]
struct Contents {
    records: Vec<ArchiveRecord>,
    skipped: Vec<SkippedRecord>,
}

impl Contents {
    fn of(bytes: &[u8]) -> Self {
        Self::with_limits(Cursor::new(bytes), ReadLimits::default()).unwrap()
    }

    fn with_limits(source: impl Read + Seek, limits: ReadLimits) -> Result<Self, ArchiveError> {
        let mut reader = RecordReader::new(source, limits)?;
        let mut contents = Self::default();
        while let Some(item) = reader.next_item(|_| true)? {
            match item {
                ArchiveItem::Record(record) => contents.records.push(*record),
                ArchiveItem::Skipped(skipped) => contents.skipped.push(skipped),
            }
        }
        Ok(contents)
    }
}
