//! The lists of an index: seeds and blocked hosts, each a text file in the data directory.
//!
//! A file has one entry per line. It may be edited by hand, and comments are kept. A change writes a new file and
//! renames it over the old one, under a lock on the directory: neither a crash nor two concurrent changes lose a
//! line. A daemon that runs on the directory reloads the list.

pub mod blocks;
pub mod seed_file;
pub mod seeds;

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::control;
use crate::store::make_private_directory;
use crate::urls::UrlRules;
use seed_file::strip_bom;

/// A change to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChange {
    Add,
    Remove,
}

/// An entry of a list.
pub trait ListEntry: Clone + PartialEq + Display {
    /// The file's name in the data directory.
    const FILE: &'static str;
    /// The name of the list in messages.
    const DESCRIPTION: &'static str;
    /// The message for an entry that is listed already.
    const ALREADY_LISTED: &'static str;
    /// The message for an entry that is not listed, before the name of the file.
    const NOT_LISTED: &'static str;
    /// The command that prints the list.
    const LIST_COMMAND: &'static str;

    /// Parses an argument of the command line.
    fn from_argument(word: &str, rules: &UrlRules) -> anyhow::Result<Self>;

    /// Parses a line of the list; `None` for a line without an entry.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the line.
    fn from_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String>;

    /// The path of the list in a data directory.
    fn path_in(data: &Path) -> PathBuf {
        data.join(Self::FILE)
    }
}

/// Prints a list, one entry per line.
pub fn print<E: ListEntry>(context: &CliContext) -> anyhow::Result<Outcome> {
    let path = E::path_in(&context.data);
    let text = read_or_empty(&path)
        .with_context(|| format!("{} {} cannot be read", E::DESCRIPTION, path.display()))?;
    let mut outcome = Outcome::Success;
    for (at, line) in text.split(|&b| b == b'\n').enumerate() {
        match E::from_line(strip_bom(line), &context.rules) {
            Ok(Some(entry)) => context.console.print(entry)?,
            Ok(None) => {}
            Err(reason) => {
                outcome = Outcome::Partial;
                context.console.error(format_args!("{}, line {}: {reason}", path.display(), at + 1));
            }
        }
    }
    Ok(outcome)
}

/// Adds entries to a list or removes them, and makes a running daemon reload.
pub fn change<E: ListEntry>(
    context: &CliContext,
    change: ListChange,
    words: &[String],
) -> anyhow::Result<Outcome> {
    // An argument that does not parse may be the text of a bad line to remove.
    let (mut entries, mut bad) = (Vec::new(), Vec::new());
    for word in words {
        match E::from_argument(word, &context.rules) {
            Ok(entry) => entries.push(entry),
            Err(error) if change == ListChange::Remove => bad.push((word.trim(), error)),
            Err(error) => return Err(error),
        }
    }
    if change == ListChange::Add {
        make_private_directory(&context.data)
            .with_context(|| format!("{} cannot be made", context.data.display()))?;
    }
    let path = E::path_in(&context.data);
    let texts: Vec<&str> = bad.iter().map(|(text, _)| *text).collect();
    let edit = |text: &[u8]| {
        let (text, removed) = remove_bad_lines::<E>(text, &texts, &context.rules);
        let (text, changed) = apply_change(&text, change, &entries, &context.rules);
        (text, (changed, removed))
    };
    let (changed, removed) = rewrite_file::<E, _>(&context.data, edit)
        .with_context(|| format!("{} {} cannot be changed", E::DESCRIPTION, path.display()))?;
    let done = match change {
        ListChange::Add => "Added",
        ListChange::Remove => "Removed",
    };
    for entry in &changed {
        context.console.info(format_args!("{done} {entry}."));
    }
    for text in &removed {
        context.console.info(format_args!("{done} the line \"{text}\"."));
    }
    let mut outcome = Outcome::Success;
    if !(changed.is_empty() && removed.is_empty())
        && let Some(complaints) = control::reload(&context.data)?
    {
        if complaints.is_empty() {
            context.console.info("The daemon that runs there has been told.");
        } else {
            outcome = Outcome::Partial;
            context.console.error("The daemon that runs there has been told, and complains:");
            complaints.iter().for_each(|complaint| context.console.error(complaint));
        }
    }
    for entry in entries.iter().filter(|entry| !changed.contains(entry)) {
        match change {
            ListChange::Add => context.console.info(format_args!("{entry} {}.", E::ALREADY_LISTED)),
            ListChange::Remove => {
                bail!(
                    "{entry} {} {}; `backlinkd {}` shows them",
                    E::NOT_LISTED,
                    path.display(),
                    E::LIST_COMMAND
                )
            }
        }
    }
    match bad.into_iter().find(|(text, _)| !removed.iter().any(|removed| removed == text)) {
        Some((_, error)) => Err(error),
        None => Ok(outcome),
    }
}

/// Removes the bad lines with these texts, with or without the comment behind a `#`. Returns the new list, and the
/// texts found.
fn remove_bad_lines<E: ListEntry>(text: &[u8], bad: &[&str], rules: &UrlRules) -> (Vec<u8>, Vec<String>) {
    let (mut edited, mut removed) = (Vec::with_capacity(text.len()), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        let text = String::from_utf8_lossy(strip_bom(line));
        let spellings = [text.trim(), text.split(" #").next().unwrap_or_default().trim()];
        match bad.iter().find(|text| spellings.contains(text)) {
            Some(text) if E::from_line(strip_bom(line), rules).is_err() => removed.push((*text).to_owned()),
            _ => edited.extend_from_slice(line),
        }
    }
    (edited, removed)
}

/// The text of a list; empty without a file.
fn read_or_empty(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        text => text,
    }
}

/// Replaces a list by the result of `edit`, and returns the second part of that result.
fn rewrite_file<E: ListEntry, T>(data: &Path, edit: impl FnOnce(&[u8]) -> (Vec<u8>, T)) -> io::Result<T> {
    // The lock is on the directory, because the file is replaced.
    let lock = File::open(data)?;
    lock.lock()?;
    let path = E::path_in(data);
    let text = read_or_empty(&path)?;
    let (edited, result) = edit(&text);
    if edited != text {
        let mut file = tempfile::Builder::new().prefix(E::FILE).tempfile_in(data)?;
        file.write_all(&edited)?;
        match_directory_owner(file.as_file(), &lock)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        lock.sync_all()?;
    }
    Ok(result)
}

/// Gives a file to the owner of its directory. The daemon that reads it runs under that account, and the command may
/// run as root. If only the group differs, the owner can read the file anyway.
fn match_directory_owner(file: &File, directory: &File) -> io::Result<()> {
    let (file_owner, directory_owner) = (file.metadata()?, directory.metadata()?);
    if file_owner.uid() != directory_owner.uid() {
        fchown(file, Some(directory_owner.uid()), Some(directory_owner.gid())).map_err(|error| {
            let owner = directory_owner.uid();
            io::Error::other(format!(
                "the directory belongs to the account with the number {owner}, which could not read the file ({error}); \
                 run this as that account"
            ))
        })?;
    } else if file_owner.gid() != directory_owner.gid() {
        let _ = fchown(file, None, Some(directory_owner.gid()));
    }
    Ok(())
}

/// Applies a change to the text of a list. Returns the new text, and the entries added or removed. Other lines stay
/// as they are.
fn apply_change<E: ListEntry>(
    text: &[u8],
    change: ListChange,
    entries: &[E],
    rules: &UrlRules,
) -> (Vec<u8>, Vec<E>) {
    let mut edited = Vec::with_capacity(text.len());
    let (mut known, mut changed) = (Vec::new(), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        match E::from_line(strip_bom(line), rules) {
            Ok(Some(entry)) if change == ListChange::Remove && entries.contains(&entry) => {
                changed.push(entry)
            }
            entry => {
                edited.extend_from_slice(line);
                known.extend(entry.ok().flatten());
            }
        }
    }
    if change == ListChange::Add {
        if !edited.is_empty() && !edited.ends_with(b"\n") {
            edited.push(b'\n');
        }
        for entry in entries {
            if !known.contains(entry) && !changed.contains(entry) {
                edited.extend_from_slice(format!("{entry}\n").as_bytes());
                changed.push(entry.clone());
            }
        }
    }
    (edited, changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BlockedName;
    use crate::urls::CanonicalUrl;

    fn edit<E: ListEntry>(text: &str, change: ListChange, words: &[&str]) -> (String, Vec<String>) {
        let rules = UrlRules::default();
        let entries: Vec<E> = words.iter().map(|word| E::from_argument(word, &rules).unwrap()).collect();
        let (text, entries) = apply_change(text.as_bytes(), change, &entries, &rules);
        (String::from_utf8(text).unwrap(), entries.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn seeds_are_added_once_and_comments_stay() {
        let edit = edit::<CanonicalUrl>;
        let (text, added) =
            edit("# ours\nexample.com # main", ListChange::Add, &["b.org", "http://example.com", "b.org"]);
        assert_eq!(text, "# ours\nexample.com # main\nhttp://b.org/\n");
        assert_eq!(added, ["http://b.org/"]);
        assert_eq!(edit("", ListChange::Add, &["a.org"]).0, "http://a.org/\n");
    }

    #[test]
    fn seeds_are_removed_in_any_spelling() {
        let edit = edit::<CanonicalUrl>;
        let list = "\u{feff}example.com\r\n# example.com\nhttp://EXAMPLE.com:80/#x\nhttps://example.com/\nftp://bad\n";
        let (text, removed) = edit(list, ListChange::Remove, &["example.com"]);
        assert_eq!(text, "# example.com\nhttps://example.com/\nftp://bad\n");
        assert_eq!(removed, ["http://example.com/", "http://example.com/"]);
        assert_eq!(edit(list, ListChange::Remove, &["b.org"]), (list.to_owned(), vec![]));
    }

    #[test]
    fn blocks_are_hosts_and_domains() {
        let edit = edit::<BlockedName>;
        let (text, added) = edit("A.test # by hand\n", ListChange::Add, &["*.B.test", "a.TEST", "*.a.test"]);
        assert_eq!(text, "A.test # by hand\n*.b.test\n*.a.test\n");
        assert_eq!(added, ["*.b.test", "*.a.test"]);
        assert_eq!(edit(&text, ListChange::Remove, &["a.test"]).0, "*.b.test\n*.a.test\n");
        for word in ["http://a.test", "a.test:80", "a.test/x", "", "#a", "a b", "*"] {
            assert!(BlockedName::from_argument(word, &UrlRules::default()).is_err(), "{word}");
        }
    }
}
