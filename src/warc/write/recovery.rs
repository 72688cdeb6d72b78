//! Recovery of WARC files that a crash left open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::file::{NAME_PREFIX, OPEN_SUFFIX};
use crate::private_files::open_private;

/// Completes such files of a folder: cuts off a partial last record and renames the file. A file without a whole
/// record is removed. Files locked by a writer are skipped.
pub(super) fn finish_open_files(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(OPEN_SUFFIX)) else {
            continue;
        };
        if !name.starts_with(NAME_PREFIX) {
            continue;
        }
        match finish_file(&path, &path.with_file_name(name)) {
            Ok(None) => {}
            Ok(Some(RecoveredFile { kept, cut })) => {
                tracing::warn!(file = name, kept, cut, "a WARC file that a crash left open was ended");
            }
            Err(error) => {
                tracing::warn!(%error, "{} was left open, and stays so: it cannot be ended", path.display());
            }
        }
    }
    Ok(())
}

/// The bytes of a recovered file.
struct RecoveredFile {
    kept: u64,
    cut: u64,
}

/// `None` when the file is skipped.
fn finish_file(open: &Path, named: &Path) -> io::Result<Option<RecoveredFile>> {
    let file = open_private(open, OpenOptions::new().read(true).write(true))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    let length = file.metadata()?.len();
    if named.exists() {
        return Ok(None);
    }
    let kept = length_of_whole_members(&file)?;
    if kept == 0 {
        std::fs::remove_file(open)?;
    } else {
        file.set_len(kept)?;
        file.sync_all()?;
        std::fs::rename(open, named)?;
    }
    Ok(Some(RecoveredFile { kept, cut: length - kept }))
}

/// The end of the last whole gzip member.
fn length_of_whole_members(file: &File) -> io::Result<u64> {
    let mut bytes = BufReader::with_capacity(1 << 16, file);
    let mut end = 0;
    while !bytes.fill_buf()?.is_empty() && io::copy(&mut GzDecoder::new(&mut bytes), &mut io::sink()).is_ok()
    {
        end = bytes.stream_position()?;
    }
    Ok(end)
}
