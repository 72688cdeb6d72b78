//! The index files on disk, within a budget in bytes. The least recently used file is removed first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use xxhash_rust::xxh3::xxh3_128;

use super::entry::EntryKey;
use super::file::{self, FileMetadata, IndexReader};
use crate::log_throttle::LogThrottle;
use crate::lru::Lru;
use crate::private_files::{keep_private, make_private_directory};
use crate::query::engine::table::Table;

/// The extension of index files.
const EXTENSION: &str = "index";
/// The directory of the index files.
pub(super) struct DiskCache {
    directory: PathBuf,
    budget: u64,
    /// The files by name, weighed by their size in bytes.
    files: Mutex<Lru<String, ()>>,
    /// Files that could not be written. On a full disk many writes fail.
    failed_writes: Mutex<LogThrottle>,
}

impl DiskCache {
    /// Lists the existing files and removes those that exceed the budget.
    pub(super) fn open(directory: PathBuf, budget: u64) -> io::Result<Self> {
        let mut files = Lru::new(usize::try_from(budget).unwrap_or(usize::MAX));
        if budget > 0
            && let Err(error) = make_private_directory(&directory)
        {
            if !directory.is_dir() && error.kind() != io::ErrorKind::StorageFull {
                return Err(error);
            }
            tracing::warn!(%error, "search indexes stay in memory only, until the disk has free space");
        }
        if directory.is_dir() {
            keep_private(&directory);
            for (_, name, bytes) in list_files(&directory)? {
                for name in files.insert(name, (), bytes) {
                    fs::remove_file(directory.join(name))?;
                }
            }
        }
        Ok(Self { directory, budget, files: Mutex::new(files), failed_writes: Mutex::default() })
    }

    /// Logs that a file could not be written, at most once a minute.
    pub(super) fn log_write_failure(&self, error: &io::Error) {
        let due = self.failed_writes.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        if let Some(count) = due {
            tracing::warn!(%error, count, "search indexes could not be written to disk and stay in memory only");
        }
    }

    /// Opens the file of a key; `None` without a readable one. A damaged file is removed.
    pub(super) fn open_file(&self, key: &EntryKey) -> Option<IndexReader> {
        let (name, text) = (file_name(key), key.to_string());
        self.files().get(&name)?;
        let path = self.directory.join(&name);
        match IndexReader::open(&path) {
            Ok(reader) if reader.metadata().key == text => {
                // The modification time tells the next process when the file was last used. Failing to set it
                // does no harm.
                let _ = fs::File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Some(reader)
            }
            Ok(_) => None,
            Err(error) => {
                self.remove_damaged(key, &error);
                None
            }
        }
    }

    /// Removes a file that cannot be read.
    pub(super) fn remove_damaged(&self, key: &EntryKey, error: &io::Error) {
        let name = file_name(key);
        let path = self.directory.join(&name);
        tracing::warn!(file = %path.display(), %error, "a search index cannot be read; it will be rebuilt");
        self.files().remove(&name);
        let _ = fs::remove_file(path);
    }

    /// Writes the file of a key.
    pub(super) fn write(
        &self,
        key: &EntryKey,
        metadata: &FileMetadata,
        head: &Table,
        whole: &Table,
    ) -> io::Result<()> {
        if self.budget == 0 {
            return Ok(());
        }
        let name = file_name(key);
        make_private_directory(&self.directory)?;
        let bytes = file::write(&self.directory.join(&name), metadata, head, whole)?;
        let mut files = self.files();
        let mut removed = files.insert(name.clone(), (), bytes as usize);
        if bytes > self.budget {
            files.remove(&name);
            removed.push(name);
        }
        for name in removed {
            fs::remove_file(self.directory.join(name))?;
        }
        Ok(())
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The size of all files in bytes, and their number.
    pub(super) fn size(&self) -> (usize, usize) {
        self.files().size()
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Lru<String, ()>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_name(key: &EntryKey) -> String {
    format!("{:032x}.{EXTENSION}", xxh3_128(key.to_string().as_bytes()))
}

/// The index files of a directory, least recently used first. Temporary files of interrupted writes are
/// removed.
fn list_files(directory: &Path) -> io::Result<Vec<(SystemTime, String, usize)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !about.is_file() {
            continue;
        }
        if name.ends_with(EXTENSION) {
            files.push((about.modified()?, name, usize::try_from(about.len()).unwrap_or(usize::MAX)));
        } else if name.starts_with(".tmp") {
            fs::remove_file(entry.path())?;
        }
    }
    files.sort();
    Ok(files)
}
