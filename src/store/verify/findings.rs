//! What a verification found: each kind of damage with its count and its first examples.

use std::collections::BTreeMap;
use std::fmt;

use super::super::shown::shown_key;

/// Examples kept of each kind.
const EXAMPLES: usize = 3;

/// One kind of damage.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The column family that is damaged, or `seen`: the set of known URLs.
    pub family: &'static str,
    /// What is wrong with some of its rows.
    pub what: &'static str,
    /// How many of them.
    pub count: u64,
    /// What the first are about, as people read it.
    pub examples: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, what, count, examples } = self;
        write!(f, "{family}: {what}: {count}")?;
        if examples.is_empty() { Ok(()) } else { write!(f, ", such as {}", examples.join(" and ")) }
    }
}

/// What was found, and what of it is left after a repair.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Findings {
    pub found: Vec<Finding>,
    /// Without a repair, all that was found.
    pub left: Vec<Finding>,
}

impl Findings {
    /// Whether the store is as it should be now.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }
}

/// Findings as they come in.
#[derive(Debug, Default)]
pub(in crate::store) struct Report(BTreeMap<(&'static str, &'static str), Finding>);

impl Report {
    /// Adds a row; `key` is its key, or that of the row that is missing.
    pub fn add(&mut self, family: &'static str, what: &'static str, key: &[u8]) {
        self.add_shown(family, what, || shown_key(family, key));
    }

    /// As [`Self::add`], for what is told better in words.
    pub fn add_shown(&mut self, family: &'static str, what: &'static str, shown: impl FnOnce() -> String) {
        let finding = self.count(family, what);
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(shown());
        }
    }

    /// Counts one of which nothing can be told.
    pub fn add_nameless(&mut self, family: &'static str, what: &'static str) {
        self.count(family, what);
    }

    fn count(&mut self, family: &'static str, what: &'static str) -> &mut Finding {
        let empty = || Finding { family, what, count: 0, examples: Vec::new() };
        let finding = self.0.entry((family, what)).or_insert_with(empty);
        finding.count += 1;
        finding
    }

    pub fn finish(self) -> Vec<Finding> {
        self.0.into_values().collect()
    }
}
