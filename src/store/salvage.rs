//! A database with damaged files written anew from what of it can be read.
//!
//! RocksDB cannot leave out a block that fails its checksum: whoever reads over it is stopped, and so is the compaction
//! that would rewrite the file. So every readable row is copied into a new database beside the old one, which then takes
//! its place. What was lost with a block is told by its range of keys; what can be made anew, or fetched again,
//! [`Store::verify`](super::Store::verify) sees to afterwards. The set of known URLs is kept for it: by that it knows which
//! of the URLs that pages link to are lost.
//!
//! The old database stays as it is until the new one is whole. From then on a file in the data directory says how far
//! the exchange has come, and whatever cuts it off, the next opening ends it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rocksdb::{ColumnFamily, DB, WriteBatch, WriteOptions};

use crate::config::StoreConfig;
use crate::urls::Suffixes;

use super::presence::{self, Presence, is_numbered, refuse_absent};
use super::private::{make_private_directory, refuse_other_owner};
use super::schema::{self, COLUMN_FAMILIES};
use super::shown::shown_key;
use super::verify::{Finding, Findings, Report, VerifyOptions, VerifyProgress};
use super::walk::Reading;
use super::{Store, StoreError, opening};

/// Of the data directory: the new database, the old one on its way out, and how far the exchange has come.
const NEW: &str = "repaired";
const OLD: &str = "damaged";
const EXCHANGE: &str = "EXCHANGE";
/// What [`EXCHANGE`] says: the old database is moved out, the new one is moved in.
const OUT: &str = "out\n";
const IN: &str = "in\n";

/// Bytes of one batch of the copy.
const BATCH_BYTES: usize = 4 << 20;
/// Probes for the end of a damaged range: a bit of the key each.
const PROBES: usize = 1_024;

const UNREADABLE: &str = "ranges of rows that cannot be read, for blocks of files are damaged";

/// Where a damaged range ends.
enum Probe {
    Row(Vec<u8>),
    End,
    Damaged,
}

impl Store {
    /// Tells which ranges of rows cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails for another reason than damage.
    pub fn damaged_ranges(&self) -> Result<Vec<Finding>, StoreError> {
        let mut report = Report::default();
        for name in COLUMN_FAMILIES {
            readable_rows(&self.db, name, &mut report, &mut |_, _| Ok(()))?;
        }
        Ok(report.finish())
    }

    /// Verifies the database in `directory`, and repairs it if that is asked for, whatever is damaged: rows, or the
    /// files that hold them. Nobody may have it open.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened or read for another reason than damage.
    pub fn verify_in(
        directory: &Path,
        config: &StoreConfig,
        suffixes: &Arc<Suffixes>,
        options: VerifyOptions,
        tell: &mut dyn FnMut(VerifyProgress),
    ) -> Result<Findings, StoreError> {
        let mut verify = || {
            let store = Self::open_existing(directory, config, Arc::clone(suffixes))?;
            let findings = match store.verify(options, tell) {
                // Whatever contradicts it has the same cause.
                Err(error) if !options.repair && error.is_of_files() => {
                    let found = store.damaged_ranges()?;
                    if found.is_empty() {
                        return Err(error);
                    }
                    // Nor can it be written out any more, as it may be.
                    return Ok(Findings { left: found.clone(), found });
                }
                findings => findings?,
            };
            store.flush()?;
            Ok(findings)
        };
        match verify() {
            Err(error) if options.repair && error.is_of_files() => {
                tracing::warn!(%error, "the database is written anew from what of it can be read");
                let mut lost = Self::salvage(directory, config)?;
                let findings = verify()?;
                lost.extend(findings.found);
                Ok(Findings { found: lost, ..findings })
            }
            Err(error) if error.is_of_files() => {
                let unopened = Finding {
                    family: "files",
                    what: "the database cannot be opened",
                    count: 1,
                    examples: vec![error.to_string()],
                };
                Ok(Findings { found: vec![unopened.clone()], left: vec![unopened] })
            }
            findings => findings,
        }
    }

    /// Writes the database in `directory` anew, without what of it cannot be read; gives what that is. Nobody may have
    /// it open. A repair of what is left has to follow, for URLs may be known then that stand nowhere.
    ///
    /// # Errors
    /// [`StoreError`] when nothing of it can be read, or there is no room for it twice; it is as it was then.
    pub fn salvage(directory: &Path, config: &StoreConfig) -> Result<Vec<Finding>, StoreError> {
        finish_exchange(directory)?;
        refuse_other_owner(directory)?;
        let restored = restore_current(directory)?;
        let failed = |error| opening(directory, error);
        let unusable = |error: io::Error| unusable(directory, &error);
        let old = schema::open_damaged(directory, config).map_err(failed)?;
        refuse_without_room(directory, &old)?;
        let folder = directory.join(NEW);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(unusable)?;
        }
        let written = write_anew(&old, &folder, config).inspect_err(|_| _ = fs::remove_dir_all(&folder));
        let mut lost = written?;
        lost.extend(restored);
        drop(old);
        say(directory, OUT).map_err(unusable)?;
        finish_exchange(directory)?;
        Ok(lost)
    }
}

/// Where `CURRENT` is missing, writes it anew. If there is one list of files, that is what it named, for RocksDB deletes
/// the list before as soon as `CURRENT` names the next. Of several lists nobody can tell: it names none then, and the
/// list is made anew from the files.
fn restore_current(directory: &Path) -> Result<Option<Finding>, StoreError> {
    let failed = |error: io::Error| unusable(directory, &error);
    match Presence::of(directory).map_err(failed)? {
        Presence::Remains(_) => {}
        Presence::Database | Presence::Nothing => return refuse_absent(directory).map(|()| None),
    }
    let lists = presence::lists(directory).map_err(failed)?;
    let named = if let [only] = &lists[..] { only } else { "none" };
    write_whole(directory, "CURRENT", &format!("{named}\n")).map_err(failed)?;
    Ok(Some(Finding { family: "files", what: "CURRENT is missing", count: 1, examples: Vec::new() }))
}

/// Writes all that can be read into a new database; gives what can not.
fn write_anew(old: &DB, folder: &Path, config: &StoreConfig) -> Result<Vec<Finding>, StoreError> {
    make_private_directory(folder).map_err(|error| unusable(folder, &error))?;
    let (new, mut report) = (schema::open(folder, config, true)?, Report::default());
    for name in COLUMN_FAMILIES {
        copy(old, &new, name, &mut report)?;
    }
    for name in COLUMN_FAMILIES {
        new.flush_cf(family(&new, name)?)?;
    }
    Ok(report.finish())
}

fn unusable(directory: &Path, error: &io::Error) -> StoreError {
    StoreError::Directory { directory: directory.to_owned(), reason: error.to_string() }
}

fn refuse_without_room(directory: &Path, old: &DB) -> Result<(), StoreError> {
    let files = old.live_files()?;
    let needed = files.iter().map(|file| file.size as u64).sum::<u64>();
    let free =
        rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::Directory {
        directory: directory.to_owned(),
        reason: format!(
            "the repair writes it anew, which takes {needed} bytes, and there are {free}; make room"
        ),
    })
}

fn family<'d>(db: &'d DB, name: &'static str) -> Result<&'d ColumnFamily, StoreError> {
    db.cf_handle(name).ok_or(StoreError::Damaged {
        family: name,
        key: String::new(),
        what: "the column family itself",
    })
}

fn copy(old: &DB, new: &DB, name: &'static str, report: &mut Report) -> Result<(), StoreError> {
    let (target, mut batch) = (family(new, name)?, WriteBatch::default());
    let mut options = WriteOptions::default();
    options.disable_wal(true);
    readable_rows(old, name, report, &mut |key, value| {
        batch.put_cf(target, key, value);
        if batch.size_in_bytes() >= BATCH_BYTES {
            new.write_opt(std::mem::take(&mut batch), &options)?;
        }
        Ok(())
    })?;
    Ok(new.write_opt(batch, &options)?)
}

/// What is done with each readable row.
type EachRow<'r> = &'r mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Goes through all rows of a column family that can be read; reports the ranges between them that can not.
fn readable_rows(
    db: &DB,
    name: &'static str,
    report: &mut Report,
    row: EachRow<'_>,
) -> Result<(), StoreError> {
    let handle = family(db, name)?;
    let mut from = Vec::new();
    loop {
        let mut cursor = db.raw_iterator_cf_opt(handle, Reading::Through.options(None));
        cursor.seek(&from);
        while let Some((key, value)) = cursor.item() {
            row(key, value)?;
            // The least key after this one.
            from.clear();
            from.extend_from_slice(key);
            from.push(0);
            cursor.next();
        }
        let Some(()) = damage(cursor.status())? else { return Ok(()) };
        let next = next_readable(db, handle, name, &from)?;
        report.add_shown(name, UNREADABLE, || {
            let bound = |key: &[u8], none: &str| match key {
                [] => none.to_owned(),
                key => shown_key(name, key),
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

/// Tells damage from success; what fails for want of something else is an error.
fn damage(status: Result<(), rocksdb::Error>) -> Result<Option<()>, StoreError> {
    match status.map_err(StoreError::from) {
        Ok(()) => Ok(None),
        Err(error @ (StoreError::OpenFiles(_) | StoreError::Full(_))) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "rows cannot be read");
            Ok(Some(()))
        }
    }
}

/// The first readable key behind a damaged range that begins at `from`. The files' own first and last keys bound it; a
/// search between finds the end of the block.
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
        let middle = between(&low, &high);
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
    let mut cursor = db.raw_iterator_cf_opt(handle, Reading::Browse.options(None));
    cursor.seek(key);
    if let Some(key) = cursor.key() {
        return Ok(Probe::Row(key.to_vec()));
    }
    Ok(damage(cursor.status())?.map_or(Probe::End, |()| Probe::Damaged))
}

/// A key half-way between two, as numbers after a point.
fn between(low: &[u8], high: &[u8]) -> Vec<u8> {
    let digits = low.len().max(high.len()) + 1;
    let digit = |key: &[u8], at: usize| u16::from(key.get(at).copied().unwrap_or(0));
    let mut sums = vec![0u16; digits + 1];
    for at in (0..digits).rev() {
        let sum = digit(low, at) + digit(high, at) + sums[at + 1];
        (sums[at], sums[at + 1]) = (sum >> 8, sum & 0xff);
    }
    // The first is what was carried out of the sum.
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

/// Whether a file of the data directory belongs to the database.
fn is_of_database(name: &str) -> bool {
    [".sst", ".log"].into_iter().any(|end| is_numbered(name, end))
        || name.starts_with("MANIFEST-")
        || name.starts_with("OPTIONS-")
        || ["CURRENT", "IDENTITY"].contains(&name)
}

fn say(directory: &Path, state: &str) -> io::Result<()> {
    write_whole(directory, EXCHANGE, state)
}

/// Writes a file in one step.
fn write_whole(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let file = tempfile::NamedTempFile::new_in(directory)?;
    fs::write(file.path(), text)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name))?;
    sync(directory)
}

fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Ends an exchange of the old database for the new one that was begun, if one was.
pub(super) fn finish_exchange(directory: &Path) -> Result<(), StoreError> {
    exchange(directory).map_err(|error| unusable(directory, &error))
}

fn exchange(directory: &Path) -> io::Result<()> {
    let mut state = match fs::read_to_string(directory.join(EXCHANGE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        state => state?,
    };
    let (old, new) = (directory.join(OLD), directory.join(NEW));
    if state == OUT {
        make_private_directory(&old)?;
        move_database(directory, &old)?;
        say(directory, IN)?;
        state = IN.to_owned();
    }
    if state == IN {
        if new.is_dir() {
            move_database(&new, directory)?;
            fs::remove_dir_all(&new)?;
        }
        if old.is_dir() {
            fs::remove_dir_all(&old)?;
        }
    }
    fs::remove_file(directory.join(EXCHANGE))?;
    sync(directory)
}

/// Moves a database's files; `CURRENT`, which makes it one, at last.
fn move_database(from: &Path, to: &Path) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| is_of_database(name)));
    }
    names.sort_by_key(|name| name == "CURRENT");
    for name in names {
        fs::rename(from.join(&name), to.join(&name))?;
    }
    sync(from)?;
    sync(to)
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
            let middle = between(low, high);
            assert!(low <= &middle[..] && &middle[..] < high, "{low:?} {middle:?} {high:?}");
        }
        assert_eq!(between(&[0xff], &[0xff, 0xff]), [0xff, 0x7f, 0x80]);
    }
}
