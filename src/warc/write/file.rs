//! An open WARC file: its name, its growth and its completion.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use time::UtcDateTime;

use super::WarcError;
use crate::private_files::open_private;

/// Prefix of file names.
pub(super) const NAME_PREFIX: &str = "backlinkd-";
/// Suffix of the names of open files.
pub(super) const OPEN_SUFFIX: &str = ".open";

/// An open file, with the suffix [`OPEN_SUFFIX`], locked against a recovery by other writers.
#[derive(Debug)]
pub(super) struct WarcFile {
    file: File,
    /// With [`OPEN_SUFFIX`].
    path: PathBuf,
    /// Without that suffix.
    name: String,
    bytes: u64,
    /// The id of its warcinfo record.
    pub id: String,
}

impl WarcFile {
    /// Creates a file named by the time and the first free serial number from `serial` on.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be created.
    pub(super) fn create(folder: &Path, serial: &mut u32) -> Result<Self, WarcError> {
        let time = timestamp(UtcDateTime::now());
        loop {
            let name = format!("{NAME_PREFIX}{time}-{:05}.warc.gz", *serial);
            let path = folder.join(format!("{name}{OPEN_SUFFIX}"));
            *serial += 1;
            if folder.join(&name).exists() {
                continue;
            }
            match open_private(&path, OpenOptions::new().write(true).create_new(true)) {
                Ok(file) => {
                    // While the file is still empty. On file systems without locks, no writer recovers files.
                    let _ = file.lock();
                    // A writer that locked the file first took it for an empty file of a crashed writer and removed
                    // it.
                    if path.exists() {
                        return Ok(Self { file, path, name, bytes: 0, id: String::new() });
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(WarcError::File { path, source }),
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes whole records. After an error the file is truncated to its former length, so that no later record
    /// follows a broken one.
    ///
    /// # Errors
    /// [`WarcError`] when the write fails.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<(), WarcError> {
        if let Err(source) = self.file.write_all_at(records, self.bytes) {
            // If this fails too, the next record overwrites the rest, or the final length cuts it off.
            let _ = self.file.set_len(self.bytes);
            return Err(self.error(source));
        }
        self.bytes += records.len() as u64;
        Ok(())
    }

    /// Flushes the file to disk, and renames it to its final name.
    ///
    /// # Errors
    /// [`WarcError`] when that fails. The file then keeps its suffix.
    pub(super) fn finish(&self) -> Result<(), WarcError> {
        let done = self.file.set_len(self.bytes).and_then(|()| self.file.sync_all());
        done.and_then(|()| std::fs::rename(&self.path, self.path.with_file_name(&self.name)))
            .map_err(|source| self.error(source))
    }

    /// Removes a file without any record.
    pub(super) fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn error(&self, source: io::Error) -> WarcError {
        WarcError::File { path: self.path.clone(), source }
    }
}

/// `YYYYMMDDhhmmss`
fn timestamp(time: UtcDateTime) -> String {
    let (hour, minute, second) = time.as_hms();
    let month = u8::from(time.month());
    format!("{:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", time.year(), time.day())
}
