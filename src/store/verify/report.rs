//! Findings of a verification: each kind of damage with its count and first examples.

use std::collections::BTreeMap;
use std::fmt;

use crate::store::read::display::display_key;

/// Maximum number of examples per kind.
const MAX_EXAMPLES: usize = 3;

/// One kind of damage.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The damaged column family, or `seen` for the seen set.
    pub family: &'static str,
    /// The kind of damage.
    pub what: &'static str,
    /// The number of damaged rows.
    pub count: u64,
    /// The first damaged rows in readable form.
    pub examples: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, what, count, examples } = self;
        write!(f, "{family}: {what}: {count}")?;
        if examples.is_empty() { Ok(()) } else { write!(f, ", such as {}", examples.join(" and ")) }
    }
}

/// The findings, and those that remain after a repair.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Findings {
    pub found: Vec<Finding>,
    /// All findings, if there was no repair.
    pub left: Vec<Finding>,
}

impl Findings {
    /// Whether no damage remains.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }
}

/// Collects findings.
#[derive(Debug, Default)]
pub(in crate::store) struct Report(BTreeMap<(&'static str, &'static str), Finding>);

impl Report {
    /// Adds a damaged row by its key, or a missing row by the key that it should have.
    pub(crate) fn add(&mut self, family: &'static str, what: &'static str, key: &[u8]) {
        self.add_with(family, what, || display_key(family, key));
    }

    /// As [`Self::add`], with a given text as example.
    pub(crate) fn add_with(
        &mut self,
        family: &'static str,
        what: &'static str,
        shown: impl FnOnce() -> String,
    ) {
        let finding = self.count(family, what);
        if finding.examples.len() < MAX_EXAMPLES {
            finding.examples.push(shown());
        }
    }

    /// Counts a row without an example.
    pub(crate) fn add_without_example(&mut self, family: &'static str, what: &'static str) {
        self.count(family, what);
    }

    fn count(&mut self, family: &'static str, what: &'static str) -> &mut Finding {
        let empty = || Finding { family, what, count: 0, examples: Vec::new() };
        let finding = self.0.entry((family, what)).or_insert_with(empty);
        finding.count += 1;
        finding
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.0.into_values().collect()
    }
}
