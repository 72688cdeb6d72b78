//! One WARC file under way: its name, its growth and its end.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use time::UtcDateTime;

use super::WarcError;

/// Begins the names of files.
pub(super) const PREFIX: &str = "backlinkd-";
/// Ends the names of files that are being written.
pub(super) const OPEN: &str = ".open";

/// A file that is being written, with the ending [`OPEN`], locked against others that would end it.
#[derive(Debug)]
pub(super) struct WarcFile {
    file: File,
    /// With [`OPEN`].
    path: PathBuf,
    /// Without.
    name: String,
    bytes: u64,
    /// The id of its warcinfo record.
    pub id: String,
}

impl WarcFile {
    /// Makes a file named by the time and the first free serial number from `serial` on.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be made.
    pub fn create(folder: &Path, serial: &mut u32) -> Result<Self, WarcError> {
        let time = compact(UtcDateTime::now());
        loop {
            let name = format!("{PREFIX}{time}-{:05}.warc.gz", *serial);
            let path = folder.join(format!("{name}{OPEN}"));
            *serial += 1;
            if folder.join(&name).exists() {
                continue;
            }
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    // Before there is anything in it. Where there are no locks, nobody ends what others left.
                    let _ = file.lock();
                    // Who locked it before us took it for one that a crash left empty.
                    if path.exists() {
                        return Ok(Self { file, path, name, bytes: 0, id: String::new() });
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(WarcError::File { path, source }),
            }
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes whole records. When that fails, what got there is taken back, so that no later record follows a
    /// broken one.
    ///
    /// # Errors
    /// [`WarcError`] when it cannot be written.
    pub fn append(&mut self, records: &[u8]) -> Result<(), WarcError> {
        if let Err(source) = self.file.write_all_at(records, self.bytes) {
            // Where this fails too, the next record is written over it, or the end of the file cuts it off.
            let _ = self.file.set_len(self.bytes);
            return Err(self.error(source));
        }
        self.bytes += records.len() as u64;
        Ok(())
    }

    /// Sees to it that the bytes are on the disk, and gives the file its name.
    ///
    /// # Errors
    /// [`WarcError`] when that fails; the file keeps its ending then.
    pub fn finish(&self) -> Result<(), WarcError> {
        let done = self.file.set_len(self.bytes).and_then(|()| self.file.sync_all());
        done.and_then(|()| std::fs::rename(&self.path, self.path.with_file_name(&self.name)))
            .map_err(|source| self.error(source))
    }

    /// Removes a file into which nothing could be written.
    pub fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn error(&self, source: io::Error) -> WarcError {
        WarcError::File { path: self.path.clone(), source }
    }
}

/// `YYYYMMDDhhmmss`
fn compact(time: UtcDateTime) -> String {
    let (hour, minute, second) = time.as_hms();
    let month = u8::from(time.month());
    format!("{:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", time.year(), time.day())
}
