//! Reads and replaces the file of a list.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::ListEntry;
use super::edit::{EditResult, ListEdit};
use crate::urls::UrlRules;

/// The text of a list; empty without a file.
///
/// # Errors
/// When there is a file that cannot be read.
pub(crate) fn read_or_empty(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        text => text,
    }
}

/// Applies an edit to the list in a data directory.
///
/// # Errors
/// When the list cannot be read or replaced.
pub(crate) fn rewrite_file<E: ListEntry>(
    data: &Path,
    edit: &ListEdit<'_, E>,
    rules: &UrlRules,
) -> io::Result<EditResult<E>> {
    // The lock is on the directory, because the file is replaced.
    let lock = File::open(data)?;
    lock.lock()?;
    let path = E::path_in(data);
    let text = read_or_empty(&path)?;
    let (edited, result) = edit.apply(&text, rules);
    if edited != text {
        let mut file = tempfile::Builder::new().prefix(E::FILE).tempfile_in(data)?;
        file.write_all(&edited)?;
        match_directory_owner(file.as_file(), &lock)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        lock.sync_all()?;
    }
    Ok(result)
}

/// Gives a file to the owner of its directory. The daemon that reads it runs under that account, and the command may
/// run as root. If only the group differs, the owner can read the file anyway.
fn match_directory_owner(file: &File, directory: &File) -> io::Result<()> {
    let (file_owner, directory_owner) = (file.metadata()?, directory.metadata()?);
    if file_owner.uid() != directory_owner.uid() {
        fchown(file, Some(directory_owner.uid()), Some(directory_owner.gid())).map_err(|error| {
            let owner = directory_owner.uid();
            io::Error::other(format!(
                "the directory belongs to the account with the number {owner}, which could not read the file ({error}); \
                 run this as that account"
            ))
        })?;
    } else if file_owner.gid() != directory_owner.gid() {
        let _ = fchown(file, None, Some(directory_owner.gid()));
    }
    Ok(())
}
