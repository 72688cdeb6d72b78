//! Finished Parquet responses, kept as files for clients that ask for the length of a response or for parts of it.
//!
//! Input: the bytes of a response. Output: a [`KeptFile`], which has the length and the strong entity tag of the
//! response, and gives its bytes in any order.
//!
//! Invariants: a kept file never changes, so that all parts with one tag are of one state of the index. The files have
//! no names: the system frees their space when the last reader has gone, also after a crash. All files together take at
//! most `api.kept_file_bytes`; the least recently used one goes first. Each counts as [`MIN_FILE_WEIGHT`] bytes at
//! least, which limits the number of open files.

mod byte_range;
mod kept_file;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::sync::Mutex as AsyncMutex;

pub(crate) use byte_range::{RequestedPart, requested_part};
pub(crate) use kept_file::{KeptFile, KeptFileWriter};

use super::response_cache::CacheKey;
use crate::config::ApiConfig;
use crate::private_files::make_private_directory;

const MIN_FILE_WEIGHT: u64 = 4 << 20;
/// A reader without tags gets one file for this many times `api.kept_file_time` at most, so that it is not stuck to an
/// old state.
const MOST_READER_TIMES: u32 = 12;

/// The kept files.
pub(crate) struct KeptFiles {
    directory: PathBuf,
    max_bytes: u64,
    time: Duration,
    files: Mutex<Vec<Kept>>,
    /// The requests whose file is being made.
    makers: Mutex<Vec<(CacheKey, Weak<AsyncMutex<()>>)>>,
}

/// What is known of a response.
#[derive(Clone)]
struct Kept {
    key: CacheKey,
    /// `None`: the response does not fit.
    file: Option<Arc<KeptFile>>,
    made_at: Instant,
    used_at: Instant,
}

/// Who asks for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileReader {
    /// A client that begins to read.
    New,
    /// A client that may have begun, and names no tag.
    Unknown,
}

impl KeptFiles {
    pub(crate) fn new(directory: PathBuf, config: &ApiConfig) -> Self {
        Self {
            directory,
            max_bytes: config.kept_file_bytes,
            time: config.kept_file_time.0,
            files: Mutex::default(),
            makers: Mutex::default(),
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.max_bytes > 0
    }

    /// Returns what is kept for a reader: a file, or the fact that the response does not fit (`Some(None)`).
    pub(crate) fn find(
        &self,
        key: &CacheKey,
        change_number: u64,
        reader: FileReader,
    ) -> Option<Option<Arc<KeptFile>>> {
        let now = Instant::now();
        self.newest(key, |kept| {
            let is_younger = |than: Duration| now.duration_since(kept.made_at) < than;
            let is_current = kept.file.as_ref().is_some_and(|file| file.is_current(change_number));
            let is_complete = kept.file.as_ref().is_none_or(|file| file.is_complete());
            is_current
                || match reader {
                    FileReader::New => is_complete && is_younger(self.time),
                    FileReader::Unknown => {
                        now.duration_since(kept.used_at) < self.time
                            && is_younger(self.time * MOST_READER_TIMES)
                    }
                }
        })
    }

    /// Returns the file of the present state, if it is kept.
    pub(crate) fn current(&self, key: &CacheKey, change_number: u64) -> Option<Arc<KeptFile>> {
        let is_current = |kept: &Kept| kept.file.as_ref().is_some_and(|file| file.is_current(change_number));
        self.newest(key, is_current).flatten()
    }

    /// Returns the file with this tag, if it is kept.
    pub(crate) fn tagged(
        &self,
        key: &CacheKey,
        is_named: impl Fn(&HeaderValue) -> bool,
    ) -> Option<Arc<KeptFile>> {
        let named = |kept: &Kept| kept.file.as_ref().is_some_and(|file| is_named(file.etag()));
        self.newest(key, named).flatten()
    }

    /// Returns the newest entry of a key that fits, which is marked as used.
    fn newest(&self, key: &CacheKey, fits: impl Fn(&Kept) -> bool) -> Option<Option<Arc<KeptFile>>> {
        let mut files = self.files();
        let kept =
            files.iter_mut().filter(|kept| kept.key == *key && fits(kept)).max_by_key(|k| k.made_at)?;
        kept.used_at = Instant::now();
        Some(kept.file.clone())
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub(crate) fn begin(&self) -> io::Result<KeptFileWriter> {
        make_private_directory(&self.directory)?;
        Ok(KeptFileWriter::new(tempfile::tempfile_in(&self.directory)?, self.max_bytes))
    }

    /// Keeps a file, or remembers that a response does not fit.
    pub(crate) fn keep(&self, key: CacheKey, file: Option<Arc<KeptFile>>) {
        let now = Instant::now();
        let mut files = self.files();
        files.retain(|kept| now.duration_since(kept.used_at) < self.time);
        files.push(Kept { key, file, made_at: now, used_at: now });
        while files.len() > 1 && files.iter().map(Kept::weight).sum::<u64>() > self.max_bytes {
            let oldest = files.iter().enumerate().min_by_key(|(_, kept)| kept.used_at).map(|(at, _)| at);
            files.remove(oldest.unwrap_or_default());
        }
    }

    /// Returns the lock of those who make the file of a request, so that one of them makes it for all.
    pub(crate) fn maker(&self, key: &CacheKey) -> Arc<AsyncMutex<()>> {
        let mut makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner);
        makers.retain(|(_, maker)| maker.strong_count() > 0);
        let known = makers.iter().find(|(known, _)| known == key).and_then(|(_, maker)| maker.upgrade());
        known.unwrap_or_else(|| {
            let maker = Arc::default();
            makers.push((key.clone(), Arc::downgrade(&maker)));
            maker
        })
    }

    /// A panic in another thread cannot leave the list half changed.
    fn files(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn weight(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.len()).max(MIN_FILE_WEIGHT)
    }
}
