//! What can go wrong between the program and its database.

use std::path::PathBuf;

use super::shown::shown_key;

/// A failure of the store, in a sentence for the person who runs the program.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the data directory {0} is in use by another backlinkd process; stop that one, or give another --data"
    )]
    InUse(PathBuf),
    #[error(
        "the data directory {directory} has format {found}, this backlinkd reads format {expected}; use the \
         version that wrote it, or crawl into a new --data directory"
    )]
    Format { directory: PathBuf, found: u32, expected: u32 },
    #[error(
        "the data directory {directory} has format {found}, and store.upgrade = false keeps it from being carried over \
         to format {expected}; set store.upgrade = true, or use the version that wrote it"
    )]
    UpgradeRefused { directory: PathBuf, found: u32, expected: u32 },
    #[error(
        "the data directory {0} holds no backlinkd index; make one with `backlinkd crawl --seeds FILE` or `backlinkd \
         run`, or give another --data"
    )]
    Absent(PathBuf),
    #[error("the data directory {directory} cannot be used: {reason}")]
    Directory { directory: PathBuf, reason: String },
    #[error("the database failed: {0}")]
    Database(#[from] rocksdb::Error),
    /// `key`: what the record is about, as people read it.
    #[error("column family {family} holds a damaged record of {key}: {what}")]
    Damaged { family: &'static str, key: String, what: &'static str },
    #[error(transparent)]
    Seen(#[from] crate::sieve::SieveError),
    #[error("no random bytes could be had from the operating system: {0}")]
    Random(String),
}

impl StoreError {
    pub(super) fn damaged(family: &'static str, key: &[u8], what: &'static str) -> Self {
        Self::Damaged { family, key: shown_key(family, key), what }
    }
}
