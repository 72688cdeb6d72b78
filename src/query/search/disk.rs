//! The directory of index files, held under a budget of bytes: the file used longest ago goes first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use xxhash_rust::xxh3::xxh3_128;

use super::file::{self, Label, Reader};
use super::kept::Key;
use crate::log_throttle::LogThrottle;
use crate::lru::Lru;
use crate::query::table::Table;
use crate::store::{keep_private, make_private_directory};

/// What index files end in.
const EXTENSION: &str = "index";
/// The directory of index files.
pub(super) struct Disk {
    directory: PathBuf,
    budget: u64,
    /// The files by name, weighed by their bytes.
    files: Mutex<Lru<String, ()>>,
    /// Files that could not be written: a full disk fails each of many.
    unwritten: Mutex<LogThrottle>,
}

impl Disk {
    /// Takes stock of the files that are there.
    pub fn open(directory: PathBuf, budget: u64) -> io::Result<Self> {
        let mut files = Lru::new(usize::try_from(budget).unwrap_or(usize::MAX));
        if budget > 0
            && let Err(error) = make_private_directory(&directory)
        {
            if !directory.is_dir() && error.kind() != io::ErrorKind::StorageFull {
                return Err(error);
            }
            tracing::warn!(%error, "search indexes are kept in memory alone until there is room on the disk");
        }
        if directory.is_dir() {
            keep_private(&directory);
            for (_, name, bytes) in stock(&directory)? {
                for name in files.insert(name, (), bytes) {
                    fs::remove_file(directory.join(name))?;
                }
            }
        }
        Ok(Self { directory, budget, files: Mutex::new(files), unwritten: Mutex::default() })
    }

    /// Says that a file could not be written, at most once a minute.
    pub fn tell_unwritten(&self, error: &io::Error) {
        let due = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        if let Some(count) = due {
            tracing::warn!(%error, count, "search indexes could not be written to disk; they are kept in memory alone");
        }
    }

    /// The file of a key, if there is one that can be read. A damaged one is removed.
    pub fn read(&self, key: &Key) -> Option<Reader> {
        let (name, text) = (name_of(key), key.to_string());
        self.files().get(&name)?;
        let path = self.directory.join(&name);
        match Reader::open(&path) {
            Ok(reader) if reader.label().key == text => {
                // That the file was used is told to the next process; if it cannot be, that is no harm.
                let _ = fs::File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Some(reader)
            }
            Ok(_) => None,
            Err(error) => {
                self.damaged(key, &error);
                None
            }
        }
    }

    /// Removes the file of a key that cannot be read.
    pub fn damaged(&self, key: &Key, error: &io::Error) {
        let name = name_of(key);
        let path = self.directory.join(&name);
        tracing::warn!(file = %path.display(), %error, "a search index cannot be read; it is built anew");
        self.files().remove(&name);
        let _ = fs::remove_file(path);
    }

    /// Writes the file of a key.
    pub fn write(&self, key: &Key, label: &Label, head: &Table, whole: &Table) -> io::Result<()> {
        if self.budget == 0 {
            return Ok(());
        }
        let name = name_of(key);
        make_private_directory(&self.directory)?;
        let bytes = file::write(&self.directory.join(&name), label, head, whole)?;
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

    /// Bytes of all files, and how many there are.
    pub fn size(&self) -> (usize, usize) {
        self.files().size()
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Lru<String, ()>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of(key: &Key) -> String {
    format!("{:032x}.{EXTENSION}", xxh3_128(key.to_string().as_bytes()))
}

/// The index files of a directory, the one used longest ago first; whatever else a cut-off write left is removed.
fn stock(directory: &Path) -> io::Result<Vec<(SystemTime, String, usize)>> {
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
