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
    Database(rocksdb::Error),
    #[error(
        "the disk of the data directory is full ({0}); make room and go on, nothing that was stored is lost"
    )]
    Full(String),
    #[error(
        "no file could be opened for the database ({0}); raise the limit of open files (ulimit -n, or LimitNOFILE= of \
         the service), or lower store.max_open_files, crawl.fetchers or fetch.max_idle_connections"
    )]
    OpenFiles(String),
    #[error("a file of the database is damaged ({0}); stop what uses it and run `backlinkd verify --repair`")]
    Corrupt(String),
    /// `key`: what the record is about, as people read it.
    #[error("column family {family} holds a damaged record of {key}: {what}")]
    Damaged { family: &'static str, key: String, what: &'static str },
    #[error(transparent)]
    Seen(#[from] crate::sieve::SieveError),
    #[error("no random bytes could be had from the operating system: {0}")]
    Random(String),
}

impl From<rocksdb::Error> for StoreError {
    /// RocksDB tells the operating system's errors by text alone.
    fn from(error: rocksdb::Error) -> Self {
        let text = error.to_string();
        // It repeats what it says for each of its layers.
        let short = || text.split(": IO error").next().unwrap_or(&text).to_owned();
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            Self::Full(short())
        } else if text.contains("Too many open files") {
            Self::OpenFiles(short())
        } else if error.kind() == rocksdb::ErrorKind::Corruption {
            Self::Corrupt(text)
        } else {
            Self::Database(error)
        }
    }
}

impl StoreError {
    /// Whether what is stored is damaged: it will be the next time as well, but elsewhere it may not be.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Corrupt(_))
    }

    /// Whether files of the database may be damaged, and not only a row.
    pub(super) fn is_of_files(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Database(_))
    }

    pub(super) fn damaged(family: &'static str, key: &[u8], what: &'static str) -> Self {
        Self::Damaged { family, key: shown_key(family, key), what }
    }
}
