//! `backlinkd.pid` in the data directory: the process id of the daemon, for sending it signals.
//!
//! The daemon holds a lock on the file while it runs. An unlocked file was left by a killed daemon, whatever process
//! has that id now, and the next daemon takes it over.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::private_files::open_private;
use crate::store::PID_FILE;

/// The file of a running daemon; removed when dropped.
pub(crate) struct PidFile {
    path: PathBuf,
    _held: File,
}

impl PidFile {
    /// Writes the id of this process. The caller must have the data directory open.
    pub(crate) fn write(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(PID_FILE);
        let write = || {
            let mut file = open_private(&path, OpenOptions::new().create(true).truncate(false).write(true))?;
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
        // If the file cannot be removed, it is unlocked, which means the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_process_id_and_is_removed_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PID_FILE);
        // Left by a killed daemon.
        std::fs::write(&path, "1234567\n").unwrap();
        let held = PidFile::write(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert!(File::open(&path).unwrap().try_lock_shared().is_err());
        drop(held);
        assert!(!path.exists());
    }
}
