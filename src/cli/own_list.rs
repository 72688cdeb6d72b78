//! The lists that an index keeps for itself, each a text file in the data directory: seeds and blocks.
//!
//! One entry a line; a list may be edited by hand, and comments are kept. It is written beside and put in its place in
//! one step, under a lock on its directory, so that neither a crash nor two changes at once lose a line. A daemon that
//! runs on the directory is told.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::control;
use super::seeds::without_mark;
use super::{Ending, Setting};
use crate::store::make_private_directory;
use crate::urls::UrlRules;

/// What is to be done with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// What stands in a list.
pub(super) trait Entry: Clone + PartialEq + Display {
    /// The file's name in the data directory.
    const FILE: &'static str;
    /// What the list is called.
    const LIST: &'static str;
    /// What is said of an entry that is there already.
    const KNOWN: &'static str;
    /// What is said of one that is not there, before the file's name.
    const UNKNOWN: &'static str;
    /// The command that shows the list.
    const SHOWN_BY: &'static str;

    /// What is meant by a word of the command line.
    fn typed(word: &str, rules: &UrlRules) -> anyhow::Result<Self>;

    /// What a line of the list says, if anything.
    ///
    /// # Errors
    /// What is wrong with it.
    fn in_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String>;

    /// Where a data directory keeps the list.
    fn path_in(data: &Path) -> PathBuf {
        data.join(Self::FILE)
    }
}

/// Shows a list, one entry a line.
pub(super) fn list<E: Entry>(setting: &Setting) -> anyhow::Result<Ending> {
    let path = E::path_in(&setting.data);
    let text = read(&path).with_context(|| format!("{} {} cannot be read", E::LIST, path.display()))?;
    let mut ending = Ending::Good;
    for (at, line) in text.split(|&b| b == b'\n').enumerate() {
        match E::in_line(without_mark(line), &setting.rules) {
            Ok(Some(entry)) => setting.console.answer(entry)?,
            Ok(None) => {}
            Err(reason) => {
                ending = Ending::Partial;
                setting.console.complain(format_args!("{}, line {}: {reason}", path.display(), at + 1));
            }
        }
    }
    Ok(ending)
}

/// Adds entries to a list or removes them; tells a daemon that runs.
pub(super) fn change<E: Entry>(
    setting: &Setting,
    change: Change,
    words: &[String],
) -> anyhow::Result<Ending> {
    // What names nothing can be the text of a bad line, which is to be got rid of.
    let (mut entries, mut bad) = (Vec::new(), Vec::new());
    for word in words {
        match E::typed(word, &setting.rules) {
            Ok(entry) => entries.push(entry),
            Err(error) if change == Change::Remove => bad.push((word.trim(), error)),
            Err(error) => return Err(error),
        }
    }
    if change == Change::Add {
        make_private_directory(&setting.data)
            .with_context(|| format!("{} cannot be made", setting.data.display()))?;
    }
    let path = E::path_in(&setting.data);
    let texts: Vec<&str> = bad.iter().map(|(text, _)| *text).collect();
    let edit = |text: &[u8]| {
        let (text, removed) = without_bad::<E>(text, &texts, &setting.rules);
        let (text, changed) = changed(&text, change, &entries, &setting.rules);
        (text, (changed, removed))
    };
    let (changed, removed) = rewrite::<E, _>(&setting.data, edit)
        .with_context(|| format!("{} {} cannot be changed", E::LIST, path.display()))?;
    let done = match change {
        Change::Add => "Added",
        Change::Remove => "Removed",
    };
    for entry in &changed {
        setting.console.tell(format_args!("{done} {entry}."));
    }
    for text in &removed {
        setting.console.tell(format_args!("{done} the line \"{text}\"."));
    }
    let mut ending = Ending::Good;
    if !(changed.is_empty() && removed.is_empty())
        && let Some(complaints) = control::reload(&setting.data)?
    {
        if complaints.is_empty() {
            setting.console.tell("The daemon that runs there has been told.");
        } else {
            ending = Ending::Partial;
            setting.console.complain("The daemon that runs there has been told, and complains:");
            complaints.iter().for_each(|complaint| setting.console.complain(complaint));
        }
    }
    for entry in entries.iter().filter(|entry| !changed.contains(entry)) {
        match change {
            Change::Add => setting.console.tell(format_args!("{entry} {}.", E::KNOWN)),
            Change::Remove => {
                bail!("{entry} {} {}; `backlinkd {}` shows them", E::UNKNOWN, path.display(), E::SHOWN_BY)
            }
        }
    }
    match bad.into_iter().find(|(text, _)| !removed.iter().any(|removed| removed == text)) {
        Some((_, error)) => Err(error),
        None => Ok(ending),
    }
}

/// The list without bad lines of these texts, and those that there were. What follows a `#` may be left out.
fn without_bad<E: Entry>(text: &[u8], bad: &[&str], rules: &UrlRules) -> (Vec<u8>, Vec<String>) {
    let (mut edited, mut removed) = (Vec::with_capacity(text.len()), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        let said = String::from_utf8_lossy(without_mark(line));
        let said = [said.trim(), said.split(" #").next().unwrap_or_default().trim()];
        match bad.iter().find(|text| said.contains(text)) {
            Some(text) if E::in_line(without_mark(line), rules).is_err() => removed.push((*text).to_owned()),
            _ => edited.extend_from_slice(line),
        }
    }
    (edited, removed)
}

/// The text of a list; none where there is no file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        text => text,
    }
}

/// Replaces a list by what `edit` makes of it. Gives what that says besides.
fn rewrite<E: Entry, T>(data: &Path, edit: impl FnOnce(&[u8]) -> (Vec<u8>, T)) -> io::Result<T> {
    // Of the directory, because the file itself is replaced.
    let lock = File::open(data)?;
    lock.lock()?;
    let path = E::path_in(data);
    let text = read(&path)?;
    let (edited, said) = edit(&text);
    if edited != text {
        let mut file = tempfile::Builder::new().prefix(E::FILE).tempfile_in(data)?;
        file.write_all(&edited)?;
        give_to_owner(file.as_file(), &lock)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        lock.sync_all()?;
    }
    Ok(said)
}

/// Gives a file to whom its directory belongs: the daemon that is to read it runs as that account, and the command may be
/// root's. Where only the group is another, the owner can read it all the same.
fn give_to_owner(file: &File, directory: &File) -> io::Result<()> {
    let (made, about) = (file.metadata()?, directory.metadata()?);
    if made.uid() != about.uid() {
        fchown(file, Some(about.uid()), Some(about.gid())).map_err(|error| {
            let owner = about.uid();
            io::Error::other(format!(
                "the directory belongs to the account with the number {owner}, which could not read the file ({error}); \
                 run this as that account"
            ))
        })?;
    } else if made.gid() != about.gid() {
        let _ = fchown(file, None, Some(about.gid()));
    }
    Ok(())
}

/// The list after a change, and the entries that were added or removed. Lines that are not concerned stay as they are.
fn changed<E: Entry>(text: &[u8], change: Change, entries: &[E], rules: &UrlRules) -> (Vec<u8>, Vec<E>) {
    let mut edited = Vec::with_capacity(text.len());
    let (mut known, mut changed) = (Vec::new(), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        match E::in_line(without_mark(line), rules) {
            Ok(Some(entry)) if change == Change::Remove && entries.contains(&entry) => changed.push(entry),
            entry => {
                edited.extend_from_slice(line);
                known.extend(entry.ok().flatten());
            }
        }
    }
    if change == Change::Add {
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
    use crate::frontier::BlockedName;
    use crate::urls::CanonicalUrl;

    fn edit<E: Entry>(text: &str, change: Change, words: &[&str]) -> (String, Vec<String>) {
        let rules = UrlRules::default();
        let entries: Vec<E> = words.iter().map(|word| E::typed(word, &rules).unwrap()).collect();
        let (text, entries) = changed(text.as_bytes(), change, &entries, &rules);
        (String::from_utf8(text).unwrap(), entries.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn seeds_are_added_once_and_comments_stay() {
        let edit = edit::<CanonicalUrl>;
        let (text, added) =
            edit("# ours\nexample.com # main", Change::Add, &["b.org", "http://example.com", "b.org"]);
        assert_eq!(text, "# ours\nexample.com # main\nhttp://b.org/\n");
        assert_eq!(added, ["http://b.org/"]);
        assert_eq!(edit("", Change::Add, &["a.org"]).0, "http://a.org/\n");
    }

    #[test]
    fn seeds_are_removed_however_they_are_written() {
        let edit = edit::<CanonicalUrl>;
        let list = "\u{feff}example.com\r\n# example.com\nhttp://EXAMPLE.com:80/#x\nhttps://example.com/\nftp://bad\n";
        let (text, removed) = edit(list, Change::Remove, &["example.com"]);
        assert_eq!(text, "# example.com\nhttps://example.com/\nftp://bad\n");
        assert_eq!(removed, ["http://example.com/", "http://example.com/"]);
        assert_eq!(edit(list, Change::Remove, &["b.org"]), (list.to_owned(), vec![]));
    }

    #[test]
    fn blocks_are_hosts_and_domains() {
        let edit = edit::<BlockedName>;
        let (text, added) = edit("A.test # by hand\n", Change::Add, &["*.B.test", "a.TEST", "*.a.test"]);
        assert_eq!(text, "A.test # by hand\n*.b.test\n*.a.test\n");
        assert_eq!(added, ["*.b.test", "*.a.test"]);
        assert_eq!(edit(&text, Change::Remove, &["a.test"]).0, "*.b.test\n*.a.test\n");
        for word in ["http://a.test", "a.test:80", "a.test/x", "", "#a", "a b", "*"] {
            assert!(BlockedName::typed(word, &UrlRules::default()).is_err(), "{word}");
        }
    }
}
