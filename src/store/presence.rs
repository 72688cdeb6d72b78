//! What a data directory holds before it is opened: a database, what is left of one, nothing, or other people's files.
//!
//! RocksDB takes a directory without `CURRENT` for an empty one: it makes a new database there, and deletes the files of
//! the old one as left over. So nobody may open what is left of a database but a repair.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::seen::FOLDER;
use super::{BLOCKS_FILE, PID_FILE, SEEDS_FILE, SOCKET_FILE, StoreError, meta, opening, schema};

/// The list of files that RocksDB begins with, before it writes `CURRENT` for the first time.
const FIRST_LIST: &str = "MANIFEST-000001";
/// How the names of files begin that nobody has named.
const UNNAMED: &str = ".tmp";
/// Digits of the numbers of RocksDB's files, at least.
const DIGITS: usize = 6;

/// What of a database a directory holds.
pub(super) enum Presence {
    Nothing,
    /// RocksDB's `CURRENT`, which names the list of the database's files.
    Database,
    /// Files of a database whose `CURRENT` is gone; one of them.
    Remains(String),
}

impl Presence {
    pub fn of(directory: &Path) -> io::Result<Self> {
        if directory.join("CURRENT").try_exists()? {
            return Ok(Self::Database);
        }
        let names = match names_in(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            names => names?,
        };
        let mut remains: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        let is_own =
            remains.iter().any(|name| is_list(name) || ["LOCK", "IDENTITY"].contains(&name.as_str()));
        // Other programs number their logs too.
        remains
            .retain(|name| is_list(name) || is_numbered(name, ".sst") || is_own && is_numbered(name, ".log"));
        if remains == [FIRST_LIST] {
            // The first opening was cut short; there was no row yet.
            remains.clear();
        }
        let seen = names_in(&directory.join(FOLDER)).unwrap_or_default();
        let seen = seen.into_iter().filter_map(|name| name.into_string().ok());
        remains.extend(seen.filter(|name| name.ends_with(".run")).map(|name| format!("{FOLDER}/{name}")));
        remains.sort();
        Ok(remains.into_iter().next().map_or(Self::Nothing, Self::Remains))
    }
}

/// The lists of a database's files that are there.
pub(super) fn lists(directory: &Path) -> io::Result<Vec<String>> {
    let names = names_in(directory)?.into_iter().filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| is_list(name)).collect())
}

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
}

fn is_list(name: &str) -> bool {
    name.starts_with("MANIFEST-")
}

/// Whether a name is a number of RocksDB's with this end.
pub(super) fn is_numbered(name: &str, end: &str) -> bool {
    name.strip_suffix(end)
        .is_some_and(|stem| stem.len() >= DIGITS && stem.bytes().all(|b| b.is_ascii_digit()))
}

/// Refuses a directory without a database; where one has lost its `CURRENT`, as damaged.
pub(super) fn refuse_absent(directory: &Path) -> Result<(), StoreError> {
    match presence(directory)? {
        Presence::Database => Ok(()),
        Presence::Remains(file) => Err(without_current(&file)),
        Presence::Nothing => Err(StoreError::Absent(directory.to_owned())),
    }
}

fn presence(directory: &Path) -> Result<Presence, StoreError> {
    Presence::of(directory).map_err(|error| unusable(directory, error.to_string()))
}

fn without_current(file: &str) -> StoreError {
    StoreError::Corrupt(format!("CURRENT is missing, and {file} is there"))
}

fn unusable(directory: &Path, reason: String) -> StoreError {
    StoreError::Directory { directory: directory.to_owned(), reason }
}

/// A directory with other people's files in it is no data directory, and in what is left of a database no new one is
/// made.
pub(super) fn refuse_foreign(directory: &Path) -> Result<(), StoreError> {
    let names = names_in(directory).map_err(|error| unusable(directory, error.to_string()))?;
    let presence = presence(directory)?;
    if let Presence::Remains(file) = &presence {
        return Err(without_current(file));
    }
    let own = ["CURRENT", "LOCK", "IDENTITY"].iter().any(|name| directory.join(name).exists());
    // Seeds and blocks may be listed before there is anything else. Another process may be writing one just now: until
    // the new version is whole it has a name of its own, which begins with the file's.
    let known = [SEEDS_FILE, BLOCKS_FILE, PID_FILE, SOCKET_FILE, UNNAMED];
    let is_beside = |name: &OsString| known.iter().any(|known| name.as_bytes().starts_with(known.as_bytes()));
    if !own && !names.iter().all(is_beside) {
        return Err(unusable(
            directory,
            "it holds files of something else; give an empty or a new directory".to_owned(),
        ));
    }
    if matches!(presence, Presence::Nothing) {
        return Ok(());
    }
    match schema::foreign(directory).map_err(|error| opening(directory, error))? {
        Some(reason) => Err(unusable(directory, reason)),
        None => meta::refuse_earlier(directory),
    }
}
