//! Block lists: hosts and domains that the operator excludes from fetching.
//!
//! A block list is a text file with one name a line, in the format of [`super::list_line`]. `example.com`
//! blocks that host and every host below it; `*.example.com` blocks only the hosts below it. Names are in
//! Unicode or punycode, in any case. Addresses are written as in URLs (`192.0.2.1`, `[2001:db8::1]`). Ports
//! and paths cannot be blocked. A [`BlockList`] needs one look-up per label of a host, however long the list
//! is.
//!
//! A line that names no host makes the configured list unusable: a list that is silently shorter than it
//! looks would fetch hosts that the operator excluded. In the index's own list such a line is logged and
//! skipped, because a running daemon has to load the other lines, and its next start must not fail.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashSet;

use super::list_line::{strip_bom, word_of_line};
use crate::urls::UrlRules;

/// Hosts and domains that are not fetched. Clones share the list; the default blocks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockList {
    /// `example.com` blocks that host and all below it; `.example.com` only those below it.
    names: Arc<HashSet<Box<str>>>,
}

/// A block list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlockListError {
    #[error("the block list {file} cannot be read ({source}); correct crawl.block_list, or the file", file = .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "line {line} of the block list {file} is \"{text}\", which names no host; write one host or *.domain a line, \
         without scheme, port or path", file = .path.display()
    )]
    Line { path: PathBuf, line: usize, text: String },
}

impl BlockList {
    /// Reads a file. An empty path is the empty list.
    ///
    /// # Errors
    /// [`BlockListError`] names the file and the line.
    pub fn read(path: &Path) -> Result<Self, BlockListError> {
        if path.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        let (list, mut bad) = Self::read_lines(path)?;
        if bad.is_empty() { Ok(list) } else { Err(bad.swap_remove(0)) }
    }

    /// Reads the names of a file, and the lines that name no host.
    fn read_lines(path: &Path) -> Result<(Self, Vec<BlockListError>), BlockListError> {
        let bytes =
            std::fs::read(path).map_err(|source| BlockListError::Read { path: path.to_owned(), source })?;
        let rules = UrlRules::default();
        let (mut names, mut bad) = (HashSet::default(), Vec::new());
        for (index, line) in strip_bom(&bytes).split(|&b| b == b'\n').enumerate() {
            match BlockedName::in_line(line, &rules) {
                Ok(name) => names.extend(name.map(|name| name.0)),
                Err(text) => bad.push(BlockListError::Line {
                    path: path.to_owned(),
                    line: index + 1,
                    text: text.chars().take(200).collect(),
                }),
            }
        }
        Ok((Self { names: Arc::new(names) }, bad))
    }

    /// Reads a file and, if it exists, the index's own list. Returns also the lines of the latter that name
    /// no host.
    ///
    /// # Errors
    /// As [`Self::read`], but not for lines of the index's own list.
    pub fn read_both(given: &Path, own: &Path) -> Result<(Self, Vec<BlockListError>), BlockListError> {
        let given = Self::read(given)?;
        if !own.exists() {
            return Ok((given, Vec::new()));
        }
        let (own, bad) = Self::read_lines(own)?;
        Ok((Self { names: Arc::new(given.names.union(&own.names).cloned().collect()) }, bad))
    }

    /// Whether a host is blocked. `host` is written as in a canonical URL.
    pub fn blocks(&self, host: &str) -> bool {
        self.find_name(host).is_some()
    }

    /// The name that blocks a host; of several, the one with the most labels.
    pub fn find_name(&self, host: &str) -> Option<BlockedName> {
        if self.names.is_empty() {
            return None;
        }
        let above = host.match_indices('.').flat_map(|(dot, _)| [&host[dot..], &host[dot + 1..]]);
        let name = std::iter::once(host).chain(above).find_map(|name| self.names.get(name))?;
        Some(BlockedName(name.clone()))
    }

    /// Names in the list, each counted once.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The name that one line of a block list blocks, in the form that [`BlockList`] keeps. `Display` writes it
/// as in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedName(Box<str>);

impl fmt::Display for BlockedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with('.') {
            f.write_str("*")?;
        }
        f.write_str(&self.0)
    }
}

impl BlockedName {
    /// Parses a line; `None` when it is empty or a comment.
    ///
    /// # Errors
    /// The text of the line, when it names no host.
    pub fn in_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        Ok(name_of(line, rules)?.map(Self))
    }
}

fn name_of(line: &[u8], rules: &UrlRules) -> Result<Option<Box<str>>, String> {
    let word = word_of_line(line).map_err(|_| String::from_utf8_lossy(line).trim().to_owned())?;
    let Some(word) = word else { return Ok(None) };
    let (below_only, name) = match word.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, word),
    };
    let host = host_of(name, rules).ok_or_else(|| word.to_owned())?;
    Ok(Some(if below_only { format!(".{host}").into() } else { host.into() }))
}

/// A name as canonical URLs write it.
fn host_of(name: &str, rules: &UrlRules) -> Option<String> {
    if name.contains(['/', '\\', '@', '?', '#', '*']) {
        return None;
    }
    // The explicit port makes a name with a port of its own an invalid URL.
    let url = rules.canonical(&format!("http://{name}:81/")).ok()?;
    Some(url.host().to_owned())
}
