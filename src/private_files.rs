//! Files and directories that only their owner can access.
//!
//! The umask of this program makes new files private. Wider permissions, which an earlier version or another program
//! has set, are restricted when a directory is opened. If that fails, a log line says what to do.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Permission bits of the group and of others.
const OTHERS_MASK: u32 = 0o077;
const PRIVATE_DIRECTORY: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Opens a file, but not through a symbolic link. If it is created, only its owner can access it.
///
/// # Errors
/// The reason why it cannot be opened.
pub fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    options.mode(PRIVATE_FILE).custom_flags(flags).open(path).map_err(|error| {
        if Errno::from_io_error(&error) == Some(Errno::LOOP) {
            io::Error::other("it is a symbolic link, which is not followed; remove it")
        } else {
            error
        }
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_private_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        let open = |path: &Path| open_private(path, OpenOptions::new().create(true).write(true));
        assert_eq!(open(&file).unwrap().metadata().unwrap().mode() & 0o777 & OTHERS_MASK, 0);
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(
            open(&link).unwrap_err().to_string(),
            "it is a symbolic link, which is not followed; remove it"
        );
    }
}
