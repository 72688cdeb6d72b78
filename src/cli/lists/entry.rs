//! The entries of the two lists: a seed is a URL, a block is a host or a domain.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::policy::{BlockedName, parse_seed_line};
use crate::store::{BLOCKS_FILE, SEEDS_FILE};
use crate::urls::{CanonicalUrl, UrlRules};

/// An entry of a list.
pub(crate) trait ListEntry: Clone + PartialEq + Display {
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

impl ListEntry for CanonicalUrl {
    const FILE: &'static str = SEEDS_FILE;
    const DESCRIPTION: &'static str = "the list of seeds";
    const ALREADY_LISTED: &'static str = "is a seed already";
    const NOT_LISTED: &'static str = "is no seed of";
    const LIST_COMMAND: &'static str = "seeds list";

    fn from_argument(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Ok(rules.parse_typed(word)?)
    }

    fn from_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        parse_seed_line(line, rules).map_err(|error| error.to_string())
    }
}

impl ListEntry for BlockedName {
    const FILE: &'static str = BLOCKS_FILE;
    const DESCRIPTION: &'static str = "the list of blocked hosts";
    const ALREADY_LISTED: &'static str = "is blocked already";
    const NOT_LISTED: &'static str = "is not in";
    const LIST_COMMAND: &'static str = "block list";

    fn from_argument(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Self::in_line(word.as_bytes(), rules).ok().flatten().ok_or_else(|| {
            anyhow!("\"{word}\" names no host; give a host or *.domain, without scheme, port or path")
        })
    }

    fn from_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        Self::in_line(line, rules).map_err(|text| format!("\"{text}\" names no host"))
    }
}
