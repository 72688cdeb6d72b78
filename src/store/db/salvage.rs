//! Copies the readable rows of a database with damaged files into a new database.
//!
//! RocksDB cannot skip a block that fails its checksum: every read across it fails, and so does the compaction that
//! would rewrite the file. Therefore every readable row is copied into a new database beside the old one, which then
//! replaces it. Lost rows are reported as ranges of keys.
//!
//! [`Store::verify`] afterwards rebuilds derived rows and queues lost URLs. It needs the old seen set, which
//! shows the URLs that pages link to and that are lost.
//!
//! The old database stays unchanged until the new one is complete. [`super::exchange`] then replaces it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rocksdb::{ColumnFamily, DB, WriteBatch, WriteOptions};

use crate::config::StoreConfig;
use crate::private_files::make_private_directory;
use crate::store::read::display::display_key;
use crate::store::verify::report::Report;
use crate::store::{Finding, Findings, Store, StoreError, VerifyOptions, VerifyProgress};
use crate::urls::Suffixes;

use super::directory;
use super::directory::{DirectoryContent, refuse_absent};
use super::exchange::{MOVE_OLD_OUT, NEW_FOLDER, finish_exchange, write_atomically, write_state};
use super::families::{self, family};
use super::permissions::refuse_other_owner;
use super::rows::ReadPattern;
use super::schema::COLUMN_FAMILIES;

/// Bytes of one batch of the copy.
const BATCH_BYTES: usize = 4 << 20;
/// Maximum number of probes for the end of a damaged range. Each probe decides one bit of the key.
const PROBES: usize = 1_024;

const UNREADABLE_RANGES: &str = "ranges of rows that cannot be read, for blocks of files are damaged";

/// The result of a probe for the end of a damaged range.
enum Probe {
    Row(Vec<u8>),
    End,
    Damaged,
}

impl Store {
    /// Finds the ranges of rows that cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails for another reason than damage.
    pub fn damaged_ranges(&self) -> Result<Vec<Finding>, StoreError> {
        let mut report = Report::default();
        for name in COLUMN_FAMILIES {
            for_each_readable_row(&self.db, name, &mut report, &mut |_, _| Ok(()))?;
        }
        Ok(report.finish())
    }

    /// Verifies the database in `directory`, and repairs it if `options` say so, whether rows or whole files are
    /// damaged. No other process may have it open.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened or read for another reason than damage.
    pub fn verify_in(
        directory: &Path,
        config: &StoreConfig,
        suffixes: &Arc<Suffixes>,
        options: VerifyOptions,
        on_progress: &mut dyn FnMut(VerifyProgress),
    ) -> Result<Findings, StoreError> {
        let mut verify = || {
            let store = Self::open_existing(directory, config, Arc::clone(suffixes))?;
            let findings = match store.verify(options, on_progress) {
                // Contradictions between rows have the same cause, so they are not reported.
                Err(error) if !options.repair && error.concerns_files() => {
                    let found = store.damaged_ranges()?;
                    if found.is_empty() {
                        return Err(error);
                    }
                    // A flush may fail too, so it is skipped.
                    return Ok(Findings { left: found.clone(), found });
                }
                findings => findings?,
            };
            store.flush()?;
            Ok(findings)
        };
        match verify() {
            Err(error) if options.repair && error.concerns_files() => {
                tracing::warn!(%error, "the readable rows of the database are copied into a new one");
                let mut lost = Self::salvage(directory, config)?;
                let findings = verify()?;
                lost.extend(findings.found);
                Ok(Findings { found: lost, ..findings })
            }
            Err(error) if error.concerns_files() => {
                let (what, examples) = ("the database cannot be opened", vec![error.to_string()]);
                let unopened = Finding { family: "files", what, count: 1, examples };
                Ok(Findings { found: vec![unopened.clone()], left: vec![unopened] })
            }
            findings => findings,
        }
    }

    /// Replaces the database in `directory` by a copy of its readable rows. Returns the unreadable ranges. No other
    /// process may have it open. A repair must follow, because the seen set may hold URLs that are in no row
    /// of the copy.
    ///
    /// # Errors
    /// [`StoreError`] when nothing can be read, or when the file system has no space for a second database. The old
    /// database is unchanged then.
    pub fn salvage(directory: &Path, config: &StoreConfig) -> Result<Vec<Finding>, StoreError> {
        finish_exchange(directory)?;
        refuse_other_owner(directory)?;
        let restored = restore_current(directory)?;
        let failed = |error| StoreError::from_open(directory, error);
        let unusable = |error: io::Error| StoreError::unusable(directory, error);
        let old = families::open_damaged(directory, config).map_err(failed)?;
        refuse_without_space(directory, &old)?;
        let folder = directory.join(NEW_FOLDER);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(unusable)?;
        }
        let written = copy_readable(&old, &folder, config).inspect_err(|_| _ = fs::remove_dir_all(&folder));
        let mut lost = written?;
        lost.extend(restored);
        drop(old);
        write_state(directory, MOVE_OLD_OUT).map_err(unusable)?;
        finish_exchange(directory)?;
        Ok(lost)
    }
}

/// Writes `CURRENT` if it is missing. A single manifest must be the one that it named, because RocksDB deletes the
/// previous manifest as soon as `CURRENT` names the next. With several manifests, `CURRENT` names none, and RocksDB
/// rebuilds the manifest from the files.
fn restore_current(directory: &Path) -> Result<Option<Finding>, StoreError> {
    let failed = |error: io::Error| StoreError::unusable(directory, error);
    match DirectoryContent::of(directory).map_err(failed)? {
        DirectoryContent::Remains(_) => {}
        DirectoryContent::Database | DirectoryContent::Empty => {
            return refuse_absent(directory).map(|()| None);
        }
    }
    let manifests = directory::manifests(directory).map_err(failed)?;
    let named = if let [only] = &manifests[..] { only } else { "none" };
    write_atomically(directory, "CURRENT", &format!("{named}\n")).map_err(failed)?;
    Ok(Some(Finding { family: "files", what: "CURRENT is missing", count: 1, examples: Vec::new() }))
}

/// Copies all readable rows into a new database. Returns the unreadable ranges.
fn copy_readable(old: &DB, folder: &Path, config: &StoreConfig) -> Result<Vec<Finding>, StoreError> {
    make_private_directory(folder).map_err(|error| StoreError::unusable(folder, error))?;
    let (new, mut report) = (families::open(folder, config, true)?, Report::default());
    for name in COLUMN_FAMILIES {
        copy(old, &new, name, &mut report)?;
    }
    for name in COLUMN_FAMILIES {
        new.flush_cf(family(&new, name)?)?;
    }
    Ok(report.finish())
}

fn refuse_without_space(directory: &Path, old: &DB) -> Result<(), StoreError> {
    let files = old.live_files()?;
    let needed = files.iter().map(|file| file.size as u64).sum::<u64>();
    let free = directory::free_bytes(directory);
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::unusable(
        directory,
        format!("the repair copies it, which takes {needed} bytes, but {free} are free; free some space"),
    ))
}

fn copy(old: &DB, new: &DB, name: &'static str, report: &mut Report) -> Result<(), StoreError> {
    let (target, mut batch) = (family(new, name)?, WriteBatch::default());
    let mut options = WriteOptions::default();
    options.disable_wal(true);
    for_each_readable_row(old, name, report, &mut |key, value| {
        batch.put_cf(target, key, value);
        if batch.size_in_bytes() >= BATCH_BYTES {
            new.write_opt(std::mem::take(&mut batch), &options)?;
        }
        Ok(())
    })?;
    Ok(new.write_opt(batch, &options)?)
}

/// Receives each readable row.
type RowVisitor<'r> = &'r mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Passes all readable rows of a column family to `row`. Reports the ranges between them that cannot be read.
fn for_each_readable_row(
    db: &DB,
    name: &'static str,
    report: &mut Report,
    row: RowVisitor<'_>,
) -> Result<(), StoreError> {
    let handle = family(db, name)?;
    let mut from = Vec::new();
    loop {
        let mut cursor = db.raw_iterator_cf_opt(handle, ReadPattern::Sequential.options(None));
        cursor.seek(&from);
        while let Some((key, value)) = cursor.item() {
            row(key, value)?;
            // The least key after this one.
            from.clear();
            from.extend_from_slice(key);
            from.push(0);
            cursor.next();
        }
        if !is_damage(cursor.status())? {
            return Ok(());
        }
        let next = next_readable(db, handle, name, &from)?;
        report.add_with(name, UNREADABLE_RANGES, || {
            let bound = |key: &[u8], none: &str| match key {
                [] => none.to_owned(),
                key => display_key(name, key),
            };
            let start = bound(from.strip_suffix(&[0]).unwrap_or(&from), "the beginning");
            format!("after {start}, before {}", bound(next.as_deref().unwrap_or_default(), "the end"))
        });
        match next {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}

/// Whether a status means damage. Other failures, such as a full disk, are errors.
fn is_damage(status: Result<(), rocksdb::Error>) -> Result<bool, StoreError> {
    match status.map_err(StoreError::from) {
        Ok(()) => Ok(false),
        Err(error @ (StoreError::OpenFiles(_) | StoreError::Full(_))) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "rows cannot be read");
            Ok(true)
        }
    }
}

/// The first readable key after a damaged range that begins at `from`. The first and last keys of the files bound the
/// range; a binary search finds the end of the block.
fn next_readable(
    db: &DB,
    handle: &ColumnFamily,
    name: &'static str,
    from: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut bounds = Vec::new();
    for file in db.live_files()?.into_iter().filter(|file| file.column_family_name == name) {
        let after = file.end_key.clone().map(|key| [&key[..], &[0]].concat());
        bounds.extend([file.start_key, file.end_key, after].into_iter().flatten());
    }
    bounds.retain(|key| key.as_slice() > from);
    bounds.sort();
    bounds.dedup();
    let mut high = None;
    for bound in bounds {
        if !matches!(probe(db, handle, &bound)?, Probe::Damaged) {
            high = Some(bound);
            break;
        }
    }
    let Some(mut high) = high else { return Ok(None) };
    let mut low = from.to_vec();
    for _ in 0..PROBES {
        let middle = midpoint(&low, &high);
        if middle <= low || middle >= high {
            break;
        }
        match probe(db, handle, &middle)? {
            Probe::Damaged => low = middle,
            Probe::Row(_) | Probe::End => high = middle,
        }
    }
    Ok(match probe(db, handle, &high)? {
        Probe::Row(key) => Some(key),
        Probe::End | Probe::Damaged => None,
    })
}

fn probe(db: &DB, handle: &ColumnFamily, key: &[u8]) -> Result<Probe, StoreError> {
    let mut cursor = db.raw_iterator_cf_opt(handle, ReadPattern::Random.options(None));
    cursor.seek(key);
    if let Some(key) = cursor.key() {
        return Ok(Probe::Row(key.to_vec()));
    }
    Ok(if is_damage(cursor.status())? { Probe::Damaged } else { Probe::End })
}

/// A key half-way between two keys, which are read as binary fractions.
fn midpoint(low: &[u8], high: &[u8]) -> Vec<u8> {
    let digits = low.len().max(high.len()) + 1;
    let digit = |key: &[u8], at: usize| u16::from(key.get(at).copied().unwrap_or(0));
    let mut sums = vec![0u16; digits + 1];
    for at in (0..digits).rev() {
        let sum = digit(low, at) + digit(high, at) + sums[at + 1];
        (sums[at], sums[at + 1]) = (sum >> 8, sum & 0xff);
    }
    // The first element is the carry of the sum.
    let mut carry = sums[0];
    let mut half = Vec::with_capacity(digits);
    for sum in &sums[1..] {
        let sum = (carry << 8) + sum;
        half.push(u8::try_from(sum >> 1).unwrap_or(u8::MAX));
        carry = sum & 1;
    }
    while half.last() == Some(&0) {
        half.pop();
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_between_two_is_between_them() {
        for (low, high) in
            [("", "b"), ("a", "b"), ("a", "a\0"), ("abc", "abd"), ("\0", "\u{7f}"), ("ab", "b")]
        {
            let (low, high) = (low.as_bytes(), high.as_bytes());
            let middle = midpoint(low, high);
            assert!(low <= &middle[..] && &middle[..] < high, "{low:?} {middle:?} {high:?}");
        }
        assert_eq!(midpoint(&[0xff], &[0xff, 0xff]), [0xff, 0x7f, 0x80]);
    }
}
