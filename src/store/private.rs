//! The data directory is its owner's alone: it holds the password hashes of the API's users.
//!
//! What this program makes is private from the start, for its umask says so. What an earlier version or somebody else
//! made wider is narrowed when the directory is opened. Where that is not allowed, a line of the log says what to do.

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::{PID_FILE, StoreError};

/// What others than the owner may do.
const OTHERS: u32 = 0o077;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// What is written through whatever it is a link to.
const WRITTEN_THROUGH: [&str; 2] = ["LOCK", PID_FILE];

/// Makes a directory that nobody else can look into, if it is not there.
///
/// # Errors
/// Why it cannot be made.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(directory)
}

/// Takes away from others what they may do with a directory and what is in it.
pub fn keep_private(directory: &Path) {
    let mut narrowed = 0;
    match narrow(directory, &mut narrowed) {
        Ok(()) if narrowed > 0 => tracing::warn!(
            narrowed,
            "other users could look into {}, which holds secrets: it and what is in it is its owner's alone now",
            directory.display()
        ),
        Ok(()) => {}
        Err(error) => tracing::warn!(
            %error,
            "other users may look into {}, and its permissions cannot be changed: have its owner run chmod -R go= on it",
            directory.display()
        ),
    }
}

/// Directories before what is in them, so that nobody gets in meanwhile. What symbolic links lead to is left alone.
fn narrow(directory: &Path, narrowed: &mut u64) -> io::Result<()> {
    narrow_one(directory, &std::fs::metadata(directory)?, narrowed)?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let done = entry.metadata().and_then(|about| match () {
            () if about.is_dir() => narrow(&entry.path(), narrowed),
            () if about.is_file() => narrow_one(&entry.path(), &about, narrowed),
            () => Ok(()),
        });
        match done {
            // The process that uses the directory deletes files now and then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn narrow_one(path: &Path, about: &Metadata, narrowed: &mut u64) -> io::Result<()> {
    let mode = about.mode();
    if mode & OTHERS != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))?;
        *narrowed += 1;
    }
    Ok(())
}

/// Refuses an index of another account, or a directory of one in which an index would be made: that account could not
/// read the files that this process makes there. What a file belongs to that is made there is asked of the file system,
/// for some give all files one owner.
pub(super) fn refuse_other_owner(directory: &Path) -> Result<(), StoreError> {
    let about = std::fs::metadata(directory.join("CURRENT")).or_else(|_| std::fs::metadata(directory));
    let made = tempfile::tempfile_in(directory).and_then(|file| file.metadata());
    // What cannot be used is told when it is opened.
    let (Ok(about), Ok(made)) = (about, made) else { return Ok(()) };
    if about.uid() == made.uid() {
        return Ok(());
    }
    Err(StoreError::Directory {
        directory: directory.to_owned(),
        reason: format!(
            "it belongs to the account with the number {}, which could not read what this process, as {}, would write; \
             run it as that account, or give it the directory with chown -R",
            about.uid(),
            made.uid()
        ),
    })
}

/// Refuses a directory in which somebody has put a link in the place of a file that is written.
pub(super) fn refuse_links(directory: &Path) -> Result<(), StoreError> {
    for name in WRITTEN_THROUGH {
        let path = directory.join(name);
        if path.symlink_metadata().is_ok_and(|about| about.is_symlink()) {
            return Err(StoreError::Directory {
                directory: directory.to_owned(),
                reason: format!("{name} is a symbolic link, which is not followed; remove it"),
            });
        }
    }
    Ok(())
}
