//! Errors of the database.

use std::path::{Path, PathBuf};

use crate::store::read::display::display_key;

/// A failure of the store, worded for the operator of the program.
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
    /// `key` is the readable form of the record's key.
    #[error("column family {family} holds a damaged record of {key}: {what}")]
    Damaged { family: &'static str, key: String, what: &'static str },
    #[error(transparent)]
    Seen(#[from] crate::sieve::SieveError),
    #[error("the visits of a page cannot be compressed: {0}")]
    Compression(std::io::Error),
    #[error("the operating system gave no random bytes: {0}")]
    Random(String),
}

impl From<rocksdb::Error> for StoreError {
    /// Classifies by the message text, because the `rocksdb` crate gives no code for errors of the operating system.
    /// The tests in `tests/cli/full_disk.rs` produce the errors.
    fn from(error: rocksdb::Error) -> Self {
        let text = error.to_string();
        // RocksDB repeats the message once for each of its layers.
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
    /// Whether stored data is damaged. The same read fails again; reads elsewhere may succeed.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Corrupt(_))
    }

    /// Whether whole files may be damaged, not only one record.
    pub(in crate::store) fn concerns_files(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Database(_))
    }

    /// The error for a directory that cannot be used, with the reason.
    pub(in crate::store) fn unusable(directory: &Path, reason: impl ToString) -> Self {
        Self::Directory { directory: directory.to_owned(), reason: reason.to_string() }
    }

    /// The failure to open the database in `directory`.
    ///
    /// RocksDB reports a held lock by its message alone. The lock file gives no answer instead: its POSIX lock belongs
    /// to the process, and closing any file descriptor of the file releases it. The test `a_directory_in_use_is_refused`
    /// pins both messages: that for a lock of this process, and that for a lock of another one.
    pub(in crate::store) fn from_open(directory: &Path, error: rocksdb::Error) -> Self {
        let text = error.to_string();
        if text.contains("lock hold by current process") || text.contains("While lock file") {
            return Self::InUse(directory.to_owned());
        }
        // The database exists, because CURRENT does, but a file that it names is missing.
        if text.contains("No such file or directory") {
            return Self::Corrupt(text);
        }
        if error.kind() == rocksdb::ErrorKind::IOError {
            return Self::unusable(directory, text);
        }
        error.into()
    }

    /// A record that cannot be decoded. `what` names the field.
    pub(in crate::store) fn damaged(family: &'static str, key: &[u8], what: &'static str) -> Self {
        Self::Damaged { family, key: display_key(family, key), what }
    }
}
