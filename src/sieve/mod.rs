//! The set of all URLs ever seen, as 64-bit fingerprints: a sieve that lets each URL pass once.
//!
//! Fingerprints go in in bulk, and the sieve reports which of them are new. The set is stored in *runs*: files of
//! sorted fingerprints. Candidates are sorted and compared with every run in one pass each. The new ones become a run,
//! which is merged with runs that are not much larger. So there are few runs, and a fingerprint is written a few times
//! in its life. The memory is limited to the candidates and a few buffers, however large the set is.
//!
//! The idea is the sieve of BUbiNG (Boldi, Marino, Santini, Vigna: "BUbiNG: Massive Crawling for the Masses") and DRUM
//! of IRLbot (Lee, Leonard, Wang, Loguinov).
//!
//! Two URLs may share a fingerprint; then the second counts as seen. Among a billion URLs, the expected number of such
//! pairs is 0.03.
//!
//! A merge only writes new files. They are valid once the caller has durably stored the new list of runs.
//! [`Sieve::discard`] deletes files that no list names. So an interrupted merge has no effect.

mod merge;
mod run;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub use run::RunInfo;

use run::Run;

/// An error of the files of the sieve.
#[derive(Debug, thiserror::Error)]
pub enum SieveError {
    #[error("the file of seen URLs {file} cannot be used: {reason}", file = .file.display())]
    File { file: PathBuf, reason: String },
}

impl SieveError {
    fn new(file: &Path, reason: impl ToString) -> Self {
        Self::File { file: file.to_owned(), reason: reason.to_string() }
    }
}

/// The fingerprint of a URL, with its index among the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub fingerprint: u64,
    pub index: u32,
}

/// A run is merged with the previous one if that is at most this many times as large. A larger factor means fewer
/// files to search, and more writing.
const MERGE_FACTOR: u64 = 4;

/// The set of fingerprints. See the module.
#[derive(Clone, Debug, Default)]
pub struct Sieve {
    directory: PathBuf,
    /// Larger runs before smaller ones.
    runs: Vec<Run>,
    /// The id of the next run.
    next: u64,
}

/// The result of a merge.
#[derive(Debug)]
pub struct MergeResult {
    /// For each index, whether its candidate is new. Of equal candidates, only the first is new.
    pub is_new: Vec<bool>,
    /// The set with the new fingerprints. Store [`Sieve::runs`], then use this set, then [`Sieve::discard`] the old
    /// files.
    pub sieve: Sieve,
}

impl Sieve {
    /// Opens the set that consists of these runs. Without runs, it is empty. The directory is created when it is
    /// needed.
    ///
    /// # Errors
    /// [`SieveError`] when a run is missing or has the wrong length.
    pub fn open(directory: &Path, runs: &[RunInfo]) -> Result<Self, SieveError> {
        let opened: Result<Vec<Run>, SieveError> =
            runs.iter().map(|info| Run::open(directory, *info)).collect();
        let next = runs.iter().map(|info| info.id + 1).max().unwrap_or(0);
        Ok(Self { directory: directory.to_owned(), runs: opened?, next })
    }

    /// The runs, to be stored for [`Self::open`].
    pub fn runs(&self) -> Vec<RunInfo> {
        self.runs.iter().map(|run| run.info).collect()
    }

    /// The number of fingerprints.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.info.len).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a fingerprint is in the set.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read.
    pub fn contains(&self, fingerprint: u64) -> Result<bool, SieveError> {
        for run in &self.runs {
            if run.contains(fingerprint)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds candidates. Sorts them. Each `index` must be less than their number.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read or written. The set is unchanged then.
    pub fn merge(&self, candidates: &mut [Candidate]) -> Result<MergeResult, SieveError> {
        merge::merge(self, candidates)
    }

    /// The fingerprints of a range, sorted.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read.
    pub fn between(&self, range: &RangeInclusive<u64>) -> Result<Vec<u64>, SieveError> {
        let mut known = Vec::new();
        self.runs.iter().try_for_each(|run| run.between(range, &mut known))?;
        known.sort_unstable();
        Ok(known)
    }

    /// Checks every run completely.
    ///
    /// # Errors
    /// [`SieveError`] when a run is not sorted, or does not have the content that was written.
    pub fn check(&self) -> Result<(), SieveError> {
        self.runs.iter().try_for_each(Run::check)
    }

    /// Deletes the files in the directory that are not a run of this set.
    ///
    /// # Errors
    /// [`SieveError`] when the directory cannot be read or a file cannot be deleted.
    pub fn discard(&self) -> Result<(), SieveError> {
        let wrong = |error: std::io::Error| SieveError::new(&self.directory, error);
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(wrong(error)),
        };
        for entry in entries {
            let path = entry.map_err(wrong)?.path();
            if !self.runs.iter().any(|run| run.path == path) {
                std::fs::remove_file(&path).map_err(|error| SieveError::new(&path, error))?;
            }
        }
        Ok(())
    }
}
