//! `backlinkd.pid` in the data directory: which process is the daemon there, for whoever sends it signals.
//!
//! The daemon holds a lock on the file for as long as it lives. One that nobody holds was left by a daemon that was
//! killed, whatever process has its number by now: the next daemon takes the file over.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::store::PID_FILE;

/// Held by a running daemon; removed when dropped.
pub(super) struct PidFile {
    path: PathBuf,
    _held: File,
}

impl PidFile {
    /// Writes the number of this process. Only for whoever has the data directory open.
    pub fn write(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(PID_FILE);
        let write = || {
            let mut file =
                unlinked(&path, OpenOptions::new().create(true).truncate(false).write(true).mode(0o600))?;
            file.lock()?;
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok::<File, io::Error>(file)
        };
        let held = write().with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, _held: held })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // If it cannot be removed, nobody holds it any more, which says the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens a file, but not what a symbolic link in its place leads to.
fn unlinked(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(code) if code == Errno::LOOP.raw_os_error() => {
                io::Error::other("it is a symbolic link, which is not followed; remove it")
            }
            _ => error,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_its_holder_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PID_FILE);
        // Left by a daemon that was killed.
        std::fs::write(&path, "1234567\n").unwrap();
        let held = PidFile::write(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert!(File::open(&path).unwrap().try_lock_shared().is_err());
        drop(held);
        assert!(!path.exists());
    }
}
