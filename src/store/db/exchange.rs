//! Replaces the database of a data directory by a repaired one. A state file in the directory records the progress, so
//! the next opening completes an exchange that a crash interrupted.

use std::fs;
use std::io;
use std::path::Path;

use crate::private_files::make_private_directory;
use crate::store::StoreError;

use super::directory::{is_manifest, is_numbered};

/// Names in the data directory: the folder of the new database, the folder of the old one, and the state file.
pub(in crate::store) const NEW_FOLDER: &str = "repaired";
const OLD_FOLDER: &str = "damaged";
const STATE_FILE: &str = "EXCHANGE";
/// Content of the state file: the old database is being moved out, or the new one is being moved in.
pub(in crate::store) const MOVE_OLD_OUT: &str = "out\n";
const MOVE_NEW_IN: &str = "in\n";

/// Whether a file of the data directory belongs to the database.
fn is_database_file(name: &str) -> bool {
    [".sst", ".log"].into_iter().any(|end| is_numbered(name, end))
        || is_manifest(name)
        || name.starts_with("OPTIONS-")
        || ["CURRENT", "IDENTITY"].contains(&name)
}

pub(in crate::store) fn write_state(directory: &Path, state: &str) -> io::Result<()> {
    write_atomically(directory, STATE_FILE, state)
}

/// Writes a file atomically, and syncs it.
pub(in crate::store) fn write_atomically(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let file = tempfile::NamedTempFile::new_in(directory)?;
    fs::write(file.path(), text)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name))?;
    sync_directory(directory)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Completes an exchange that was begun, if there is one.
pub(in crate::store) fn finish_exchange(directory: &Path) -> Result<(), StoreError> {
    exchange(directory).map_err(|error| StoreError::unusable(directory, error))
}

fn exchange(directory: &Path) -> io::Result<()> {
    let mut state = match fs::read_to_string(directory.join(STATE_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        state => state?,
    };
    let (old, new) = (directory.join(OLD_FOLDER), directory.join(NEW_FOLDER));
    if state == MOVE_OLD_OUT {
        make_private_directory(&old)?;
        move_database(directory, &old)?;
        write_state(directory, MOVE_NEW_IN)?;
        state = MOVE_NEW_IN.to_owned();
    }
    if state == MOVE_NEW_IN {
        if new.is_dir() {
            move_database(&new, directory)?;
            fs::remove_dir_all(&new)?;
        }
        if old.is_dir() {
            fs::remove_dir_all(&old)?;
        }
    }
    fs::remove_file(directory.join(STATE_FILE))?;
    sync_directory(directory)
}

/// Moves the files of a database. `CURRENT` comes last, because it makes a directory a database.
fn move_database(from: &Path, to: &Path) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| is_database_file(name)));
    }
    names.sort_by_key(|name| name == "CURRENT");
    for name in names {
        fs::rename(from.join(&name), to.join(&name))?;
    }
    sync_directory(from)?;
    sync_directory(to)
}
