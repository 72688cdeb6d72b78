//! Inspects a data directory before it is opened: it may hold a database, remains of one, nothing, or foreign files.
//!
//! RocksDB treats a directory without `CURRENT` as empty: it creates a new database there and deletes the old files as
//! obsolete. Therefore only a repair may open the remains of a database.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::store::queue::seen_set::SEEN_SET_FOLDER;
use crate::store::{StoreError, meta};

use super::families;

/// Name of the file with the index's own list of seeds, in the data directory.
pub const SEEDS_FILE: &str = "seeds.txt";
/// Name of the file with the index's own list of blocked hosts, in the data directory.
pub const BLOCKS_FILE: &str = "blocks.txt";
/// Name of the file with the daemon's process id, in the data directory.
pub const PID_FILE: &str = "backlinkd.pid";
/// Name of the socket for requests to the process that has the store open, in the data directory.
pub const SOCKET_FILE: &str = "backlinkd.sock";

/// The first manifest of a database. RocksDB writes it before it writes `CURRENT` for the first time.
const FIRST_MANIFEST: &str = "MANIFEST-000001";
/// Prefix of the names of temporary files.
const TEMPORARY_PREFIX: &str = ".tmp";
/// Minimum number of digits in the file numbers of RocksDB.
const MIN_DIGITS: usize = 6;

/// What a directory holds of a database.
pub(in crate::store) enum DirectoryContent {
    Empty,
    /// `CURRENT`, which names the manifest of the database.
    Database,
    /// Files of a database whose `CURRENT` is missing. The name of one of them.
    Remains(String),
}

impl DirectoryContent {
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        if directory.join("CURRENT").try_exists()? {
            return Ok(Self::Database);
        }
        let names = match names_in(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Empty),
            names => names?,
        };
        let mut remains: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        let is_own =
            remains.iter().any(|name| is_manifest(name) || ["LOCK", "IDENTITY"].contains(&name.as_str()));
        // Other programs number their logs too.
        remains.retain(|name| {
            is_manifest(name) || is_numbered(name, ".sst") || is_own && is_numbered(name, ".log")
        });
        if remains == [FIRST_MANIFEST] {
            // A crash interrupted the first opening. The database had no row yet.
            remains.clear();
        }
        let seen = names_in(&directory.join(SEEN_SET_FOLDER)).unwrap_or_default();
        let seen = seen.into_iter().filter_map(|name| name.into_string().ok());
        remains.extend(
            seen.filter(|name| name.ends_with(".run")).map(|name| format!("{SEEN_SET_FOLDER}/{name}")),
        );
        remains.sort();
        Ok(remains.into_iter().next().map_or(Self::Empty, Self::Remains))
    }
}

/// The manifests in a directory.
pub(in crate::store) fn manifests(directory: &Path) -> io::Result<Vec<String>> {
    let names = names_in(directory)?.into_iter().filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| is_manifest(name)).collect())
}

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
}

pub(in crate::store) fn is_manifest(name: &str) -> bool {
    name.starts_with("MANIFEST-")
}

/// Whether a name consists of a RocksDB file number and this suffix.
pub(in crate::store) fn is_numbered(name: &str, end: &str) -> bool {
    name.strip_suffix(end)
        .is_some_and(|stem| stem.len() >= MIN_DIGITS && stem.bytes().all(|b| b.is_ascii_digit()))
}

/// Refuses a directory without a database. If only `CURRENT` is missing, the error says so.
pub(in crate::store) fn refuse_absent(directory: &Path) -> Result<(), StoreError> {
    match inspect(directory)? {
        DirectoryContent::Database => Ok(()),
        DirectoryContent::Remains(file) => Err(current_is_missing(&file)),
        DirectoryContent::Empty => Err(StoreError::Absent(directory.to_owned())),
    }
}

fn inspect(directory: &Path) -> Result<DirectoryContent, StoreError> {
    DirectoryContent::of(directory).map_err(|error| StoreError::unusable(directory, error))
}

fn current_is_missing(file: &str) -> StoreError {
    StoreError::Corrupt(format!("CURRENT is missing, and {file} is there"))
}

/// Refuses a directory with foreign files, with the remains of a database, or with a database of another program or of
/// an unsupported format.
pub(in crate::store) fn refuse_foreign(directory: &Path) -> Result<(), StoreError> {
    let names = names_in(directory).map_err(|error| StoreError::unusable(directory, error))?;
    let content = inspect(directory)?;
    if let DirectoryContent::Remains(file) = &content {
        return Err(current_is_missing(file));
    }
    let own = ["CURRENT", "LOCK", "IDENTITY"].iter().any(|name| directory.join(name).exists());
    // Lists of seeds and of blocks may exist before the database. Another process may be writing one of them now: a
    // new version has a temporary name, which begins with the name of the file, until it is complete.
    let known = [SEEDS_FILE, BLOCKS_FILE, PID_FILE, SOCKET_FILE, TEMPORARY_PREFIX];
    let is_beside = |name: &OsString| known.iter().any(|known| name.as_bytes().starts_with(known.as_bytes()));
    if !own && !names.iter().all(is_beside) {
        return Err(StoreError::unusable(
            directory,
            "it holds files of something else; give an empty or a new directory",
        ));
    }
    if matches!(content, DirectoryContent::Empty) {
        return Ok(());
    }
    match families::foreign_reason(directory).map_err(|error| StoreError::from_open(directory, error))? {
        Some(reason) => Err(StoreError::unusable(directory, reason)),
        None => meta::refuse_earlier_format(directory),
    }
}

/// Bytes that are free on the file system of a directory, for users without privileges. `u64::MAX` if the file system
/// does not report it.
pub fn free_bytes(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
