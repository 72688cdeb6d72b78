//! `backlinkd.pid` in the data directory: which process is the daemon there, so that it can be told of changes.
//!
//! The daemon holds a lock on the file for as long as it lives. One that nobody holds was left by a daemon that was
//! killed, whatever process has its number by now: it is not told, and the next daemon takes the file over.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

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

    /// Has the daemon of a data directory read its files again; says whether there is one.
    pub fn tell(data: &Path) -> anyhow::Result<bool> {
        let path = data.join(PID_FILE);
        let Some(pid) = running(&path).with_context(|| format!("{} cannot be read", path.display()))? else {
            return Ok(false);
        };
        kill_process(pid, Signal::HUP)
            .context("the daemon that runs there cannot be told; send it SIGHUP")?;
        Ok(true)
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

/// The process that holds the file, if there is one.
fn running(path: &Path) -> io::Result<Option<Pid>> {
    let mut file = match unlinked(path, OpenOptions::new().read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text.trim().parse().ok().and_then(Pid::from_raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_the_file_is_a_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PID_FILE);
        assert_eq!(running(&path).unwrap(), None);
        // Left by a daemon that was killed: process 1 runs, and is none.
        std::fs::write(&path, "1\n").unwrap();
        assert_eq!(running(&path).unwrap(), None);
        assert!(!PidFile::tell(folder.path()).unwrap());
        let held = PidFile::write(folder.path()).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(running(&path).unwrap(), Pid::from_raw(own));
        drop(held);
        assert!(!path.exists());
    }
}
