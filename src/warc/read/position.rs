//! Positions of records.

/// Where a record begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordPosition {
    /// Offset of its member in the file; in a plain file that of the record.
    pub file: u64,
    /// Decoded bytes of the member before the record. 0 when each record has its own member.
    pub within: u64,
}
