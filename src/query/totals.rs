//! How many backlinks a selection has, of which kinds, and from how many registrable domains.

use rustc_hash::FxHashSet;

use super::{Deadline, QueryError, Scan, Selection};
use crate::store::{PairCounts, Snapshot};
use crate::urls::Suffixes;

/// Links, and the registrable domains of their pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub backlinks: u64,
    /// Distinct registrable domains of the source pages.
    pub refdoms: u64,
}

/// # Errors
/// What the store or the deadline reports.
pub fn totals(
    snapshot: &Snapshot<'_>,
    selection: &Selection,
    suffixes: &Suffixes,
    deadline: &Deadline,
) -> Result<Totals, QueryError> {
    Scan { snapshot, selection, suffixes, deadline }.totals()
}

impl Scan<'_> {
    /// All backlinks of the selection.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn totals(&self) -> Result<Totals, QueryError> {
        let mut counter = Counter::default();
        self.source_hosts(|host, counts| counter.add(self.suffixes.domain_of(host), counts.links))?;
        Ok(counter.totals())
    }

    /// The backlinks from hosts whose public suffix has the label: for `edu`, those under `edu` and `edu.au`.
    /// One total per label, in their order.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn totals_by_suffix_label<const N: usize>(
        &self,
        labels: [&str; N],
    ) -> Result<[Totals; N], QueryError> {
        let mut counters: [Counter; N] = std::array::from_fn(|_| Counter::default());
        self.source_hosts(|host, counts| {
            let suffix = self.suffixes.suffix_of(host);
            for (label, counter) in labels.iter().zip(&mut counters) {
                if suffix.split('.').any(|part| part == *label) {
                    counter.add(self.suffixes.domain_of(host), counts.links);
                }
            }
        })?;
        Ok(counters.map(|counter| counter.totals()))
    }

    /// The backlinks of the selection, by kind.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn counts(&self) -> Result<PairCounts, QueryError> {
        let mut sums = PairCounts::default();
        self.source_hosts(|_, counts| {
            sums.links += counts.links;
            sums.nofollow += counts.nofollow;
            sums.text += counts.text;
            sums.image += counts.image;
            sums.home += counts.home;
        })?;
        Ok(sums)
    }
}

#[derive(Default)]
struct Counter {
    backlinks: u64,
    domains: FxHashSet<Box<str>>,
}

impl Counter {
    fn add(&mut self, domain: &str, links: u64) {
        self.backlinks += links;
        if !self.domains.contains(domain) {
            self.domains.insert(domain.into());
        }
    }

    fn totals(&self) -> Totals {
        Totals { backlinks: self.backlinks, refdoms: self.domains.len() as u64 }
    }
}
