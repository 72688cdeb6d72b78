//! `backlinkd seeds`: the index's own list of seeds, `seeds.txt` in the data directory.
//!
//! `run` and `crawl` begin with it besides the file they are given. One URL or host a line, as in any seed file
//! ([`super::seeds`]); it may be edited by hand, and comments are kept. It is written beside and put in its place in
//! one step, under a lock on its directory, so that neither a crash nor two changes at once lose a line. A daemon that
//! runs on the directory is told.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::pid_file::PidFile;
use super::seeds::{self, seed_of};
use super::{Ending, Setting};
use crate::store::{SEEDS_FILE, make_private_directory};
use crate::urls::{CanonicalUrl, UrlRules};

/// What is to be done with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// Where a data directory keeps its list.
pub(super) fn path_of(data: &Path) -> PathBuf {
    data.join(SEEDS_FILE)
}

/// Shows the list, one URL a line.
pub(super) fn list(setting: &Setting) -> anyhow::Result<Ending> {
    let (seeds, all_good) = setting.own_seeds()?;
    for seed in seeds {
        setting.console.answer(seed)?;
    }
    Ok(if all_good { Ending::Good } else { Ending::Partial })
}

/// What was added to the list since these seeds were read. Bad lines have been complained of by then.
pub(super) fn added_since(setting: &Setting, known: &[CanonicalUrl]) -> anyhow::Result<Vec<CanonicalUrl>> {
    let path = path_of(&setting.data);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (seeds, _) = seeds::read(&path, &setting.rules)
        .with_context(|| format!("the list of seeds {} cannot be read", path.display()))?;
    let known: HashSet<&CanonicalUrl> = known.iter().collect();
    Ok(seeds.into_iter().filter(|seed| !known.contains(seed)).collect())
}

/// Adds URLs to the list or removes them; tells a daemon that runs.
pub(super) fn change(setting: &Setting, change: Change, words: &[String]) -> anyhow::Result<Ending> {
    let mut urls = Vec::with_capacity(words.len());
    for word in words {
        urls.push(setting.rules.typed(word)?);
    }
    if change == Change::Add {
        make_private_directory(&setting.data)
            .with_context(|| format!("{} cannot be made", setting.data.display()))?;
    }
    let path = path_of(&setting.data);
    let changed = rewrite(&setting.data, |text| changed(text, change, &urls, &setting.rules))
        .with_context(|| format!("the list of seeds {} cannot be changed", path.display()))?;
    let done = match change {
        Change::Add => "Added",
        Change::Remove => "Removed",
    };
    for url in &changed {
        setting.console.tell(format_args!("{done} {url}."));
    }
    for url in urls.iter().filter(|url| !changed.contains(url)) {
        match change {
            Change::Add => setting.console.tell(format_args!("{url} is a seed already.")),
            Change::Remove => {
                bail!("{url} is no seed of {}; `backlinkd seeds list` shows them", path.display())
            }
        }
    }
    if !changed.is_empty() && PidFile::tell(&setting.data)? {
        setting.console.tell("The daemon that runs there has been told.");
    }
    Ok(Ending::Good)
}

/// Replaces the list by what `edit` makes of it. Gives what that says besides.
fn rewrite<T>(data: &Path, edit: impl FnOnce(&[u8]) -> (Vec<u8>, T)) -> io::Result<T> {
    // Of the directory, because the file itself is replaced.
    let lock = File::open(data)?;
    lock.lock()?;
    let path = path_of(data);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text?,
    };
    let (edited, said) = edit(&text);
    if edited != text {
        let mut file = tempfile::Builder::new().prefix(SEEDS_FILE).tempfile_in(data)?;
        file.write_all(&edited)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        lock.sync_all()?;
    }
    Ok(said)
}

/// The list after a change, and the URLs that were added or removed. Lines that are not concerned stay as they are.
fn changed(
    text: &[u8],
    change: Change,
    urls: &[CanonicalUrl],
    rules: &UrlRules,
) -> (Vec<u8>, Vec<CanonicalUrl>) {
    let mut edited = Vec::with_capacity(text.len());
    let (mut known, mut changed) = (Vec::new(), Vec::new());
    for line in text.split_inclusive(|&b| b == b'\n') {
        match seed_of(seeds::without_mark(line), rules) {
            Ok(Some(url)) if change == Change::Remove && urls.contains(&url) => changed.push(url),
            seed => {
                edited.extend_from_slice(line);
                known.extend(seed.ok().flatten());
            }
        }
    }
    if change == Change::Add {
        if !edited.is_empty() && !edited.ends_with(b"\n") {
            edited.push(b'\n');
        }
        for url in urls {
            if !known.contains(url) && !changed.contains(url) {
                edited.extend_from_slice(format!("{url}\n").as_bytes());
                changed.push(url.clone());
            }
        }
    }
    (edited, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, change: Change, words: &[&str]) -> (String, Vec<String>) {
        let rules = UrlRules::default();
        let urls: Vec<CanonicalUrl> = words.iter().map(|word| rules.typed(word).unwrap()).collect();
        let (text, urls) = changed(text.as_bytes(), change, &urls, &rules);
        (String::from_utf8(text).unwrap(), urls.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn seeds_are_added_once_and_comments_stay() {
        let (text, added) =
            edit("# ours\nexample.com # main", Change::Add, &["b.org", "http://example.com", "b.org"]);
        assert_eq!(text, "# ours\nexample.com # main\nhttp://b.org/\n");
        assert_eq!(added, ["http://b.org/"]);
        assert_eq!(edit("", Change::Add, &["a.org"]).0, "http://a.org/\n");
    }

    #[test]
    fn seeds_are_removed_however_they_are_written() {
        let list = "\u{feff}example.com\r\n# example.com\nhttp://EXAMPLE.com:80/#x\nhttps://example.com/\nftp://bad\n";
        let (text, removed) = edit(list, Change::Remove, &["example.com"]);
        assert_eq!(text, "# example.com\nhttps://example.com/\nftp://bad\n");
        assert_eq!(removed, ["http://example.com/", "http://example.com/"]);
        assert_eq!(edit(list, Change::Remove, &["b.org"]), (list.to_owned(), vec![]));
    }
}
