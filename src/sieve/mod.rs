//! The set of all URLs ever met, as 64-bit fingerprints: a sieve that lets each pass once.
//!
//! In go fingerprints in bulk, out comes which of them are new. The set lies on disk as *runs*: files of sorted
//! fingerprints. Candidates are sorted, held against every run in one pass each, and those that are new become
//! a run of their own, with which runs that are not much larger are merged; so there are few runs, and a
//! fingerprint is written a few times in its life. Memory is bounded by the candidates and a few buffers, however
//! many are known. The idea is the sieve of BUbiNG (Boldi, Marino, Santini, Vigna: "BUbiNG: Massive Crawling for
//! the Masses") and DRUM of IRLbot (Lee, Leonard, Wang, Loguinov).
//!
//! Two URLs may share a fingerprint; then the second is taken for known. Among a billion URLs that befalls, in
//! all, 0.03 of them on average.
//!
//! A merge only writes new files. They count once the caller has stored the new list of runs, wherever it keeps
//! that safely; [`Sieve::discard`] clears away what no list names. So a merge that is cut short has not happened.

mod merge;
mod run;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub use run::RunName;

use run::Run;

/// Why the files of the sieve cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SieveError {
    #[error("the file of met URLs {file} cannot be used: {reason}", file = .file.display())]
    File { file: PathBuf, reason: String },
}

impl SieveError {
    fn new(file: &Path, reason: impl ToString) -> Self {
        Self::File { file: file.to_owned(), reason: reason.to_string() }
    }
}

/// A URL's fingerprint, and its place among the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub fingerprint: u64,
    pub place: u32,
}

/// A smaller run is merged with the one before it that is at most this many times as large. More means fewer
/// files to look through, and more writing.
const GROWTH: u64 = 4;

/// The set. See the module.
#[derive(Clone, Debug, Default)]
pub struct Sieve {
    directory: PathBuf,
    /// The larger before the smaller.
    runs: Vec<Run>,
    /// Of the next run.
    next: u64,
}

/// What a merge brought.
#[derive(Debug)]
pub struct Merged {
    /// For each place, whether its candidate is new. Of equal ones, the first is.
    pub is_new: Vec<bool>,
    /// The set with the new ones. Store [`Sieve::runs`], then use it and [`Sieve::discard`] the old files.
    pub sieve: Sieve,
}

impl Sieve {
    /// Opens the set that consists of these runs. None: an empty set; the directory is made when it is needed.
    ///
    /// # Errors
    /// [`SieveError`] when a run is missing or has not the length it should have.
    pub fn open(directory: &Path, runs: &[RunName]) -> Result<Self, SieveError> {
        let opened: Result<Vec<Run>, SieveError> =
            runs.iter().map(|name| Run::open(directory, *name)).collect();
        let next = runs.iter().map(|name| name.id + 1).max().unwrap_or(0);
        Ok(Self { directory: directory.to_owned(), runs: opened?, next })
    }

    /// The runs, to be stored and given to [`Self::open`] again.
    pub fn runs(&self) -> Vec<RunName> {
        self.runs.iter().map(|run| run.name).collect()
    }

    /// Fingerprints known.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.name.len).sum()
    }

    /// Whether no fingerprint is known.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a fingerprint is known.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read.
    pub fn holds(&self, fingerprint: u64) -> Result<bool, SieveError> {
        for run in &self.runs {
            if run.holds(fingerprint)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds candidates, of which none may have a place as high as their number; sorts them.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read or written; then the set is what it was.
    pub fn merge(&self, candidates: &mut [Candidate]) -> Result<Merged, SieveError> {
        merge::merge(self, candidates)
    }

    /// The known fingerprints of a range, sorted.
    ///
    /// # Errors
    /// [`SieveError`] when a run cannot be read.
    pub fn between(&self, range: &RangeInclusive<u64>) -> Result<Vec<u64>, SieveError> {
        let mut known = Vec::new();
        self.runs.iter().try_for_each(|run| run.between(range, &mut known))?;
        known.sort_unstable();
        Ok(known)
    }

    /// Reads every run through.
    ///
    /// # Errors
    /// [`SieveError`] when one is not sorted, or not what was written.
    pub fn check(&self) -> Result<(), SieveError> {
        self.runs.iter().try_for_each(Run::check)
    }

    /// Deletes the files in the directory that are no run of this set.
    ///
    /// # Errors
    /// [`SieveError`] when the directory cannot be read or a file not be deleted.
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
