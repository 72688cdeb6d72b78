//! Free space on the disks of the index and of the WARC files.

use crate::store::{Store, free_bytes};

/// Bytes that opening the database takes, in addition to its log, which is written out then.
const BYTES_TO_REOPEN: u64 = 16 << 20;

/// Whether there is space to reopen the database. It must not be closed otherwise.
pub(in crate::crawl) fn has_room_to_open(store: &Store) -> bool {
    free_bytes(store.directory()) >= store.log_bytes().saturating_add(BYTES_TO_REOPEN)
}
