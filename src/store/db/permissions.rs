//! Permissions of the data directory: only its owner has access, because it holds the password hashes of the API's
//! users.
//!
//! The umask of this program makes new files private. Wider permissions, which an earlier version or another program
//! has set, are restricted when the directory is opened. If that fails, a log line says what to do.

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use crate::store::StoreError;

use super::directory::PID_FILE;

/// Permission bits of the group and of others.
const OTHERS_MASK: u32 = 0o077;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// Files that are written to even if their name is a link.
const WRITTEN_THROUGH: [&str; 2] = ["LOCK", PID_FILE];

/// Creates a directory that only its owner can access, unless it exists.
///
/// # Errors
/// The reason why it cannot be created.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(directory)
}

/// Removes the permissions of other users on a directory and on everything in it.
pub fn keep_private(directory: &Path) {
    let mut restricted = 0;
    match restrict(directory, &mut restricted) {
        Ok(()) if restricted > 0 => tracing::warn!(
            restricted,
            "other users had access to {}, which holds secrets; now only its owner has access to it and its content",
            directory.display()
        ),
        Ok(()) => {}
        Err(error) => tracing::warn!(
            %error,
            "other users may have access to {}, and its permissions cannot be changed; its owner should run chmod -R go= on it",
            directory.display()
        ),
    }
}

/// Restricts a directory before its content, so that no other user gets access in between. Does not follow symbolic
/// links.
fn restrict(directory: &Path, restricted: &mut u64) -> io::Result<()> {
    restrict_one(directory, &std::fs::metadata(directory)?, restricted)?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let done = entry.metadata().and_then(|about| match () {
            () if about.is_dir() => restrict(&entry.path(), restricted),
            () if about.is_file() => restrict_one(&entry.path(), &about, restricted),
            () => Ok(()),
        });
        match done {
            // The process that uses the directory may delete files meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn restrict_one(path: &Path, about: &Metadata, restricted: &mut u64) -> io::Result<()> {
    let mode = about.mode();
    if mode & OTHERS_MASK != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS_MASK))?;
        *restricted += 1;
    }
    Ok(())
}

/// Refuses an index of another account, and a directory of another account in which an index would be created: that
/// account could not read the files that this process creates there. A temporary file shows the owner of new files,
/// because some file systems give all files one owner.
pub(in crate::store) fn refuse_other_owner(directory: &Path) -> Result<(), StoreError> {
    let about = std::fs::metadata(directory.join("CURRENT")).or_else(|_| std::fs::metadata(directory));
    let made = tempfile::tempfile_in(directory).and_then(|file| file.metadata());
    // An unusable directory is reported when it is opened.
    let (Ok(about), Ok(made)) = (about, made) else { return Ok(()) };
    if about.uid() == made.uid() {
        return Ok(());
    }
    Err(StoreError::unusable(
        directory,
        format!(
            "it belongs to the account with the number {}, which could not read what this process, as {}, would write; \
             run it as that account, or give it the directory with chown -R",
            about.uid(),
            made.uid()
        ),
    ))
}

/// Refuses a directory in which a file that the program writes is a symbolic link.
pub(in crate::store) fn refuse_links(directory: &Path) -> Result<(), StoreError> {
    for name in WRITTEN_THROUGH {
        let path = directory.join(name);
        if path.symlink_metadata().is_ok_and(|about| about.is_symlink()) {
            return Err(StoreError::unusable(
                directory,
                format!("{name} is a symbolic link, which is not followed; remove it"),
            ));
        }
    }
    Ok(())
}
