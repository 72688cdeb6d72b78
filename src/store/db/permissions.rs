//! Accounts and symbolic links in the data directory, which holds the password hashes of the API's users.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::StoreError;

use super::directory::PID_FILE;

/// Files that are written to even if their name is a link.
const WRITTEN_THROUGH: [&str; 2] = ["LOCK", PID_FILE];

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
