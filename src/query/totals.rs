//! How many backlinks a selection has, and from how many registrable domains.
//!
//! Hosts and domains are counted from the store's host pairs, without reading a link. A URL, or a host narrowed to
//! one port, has no pairs of its own: its backlinks are counted one by one.

use rustc_hash::FxHashSet;

use super::{Deadline, QueryError, Selection};
use crate::store::Snapshot;
use crate::urls::{Scope, Suffixes};

/// The two totals of a selection.
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
    let mut counter = Counter { selection, suffixes, backlinks: 0, domains: FxHashSet::default() };
    match selection.scope {
        Scope::Domain { .. } | Scope::Host { port: None, .. } => {
            for pair in deadline.over(snapshot.host_pairs(&selection.scope)) {
                let pair = pair?;
                counter.add(&pair.source_host, pair.counts.links);
            }
        }
        Scope::Url { .. } | Scope::Host { port: Some(_), .. } => {
            for row in deadline.over(snapshot.backlinks(&selection.scope, None)) {
                let link = row?.value;
                if link.is_active() {
                    counter.add(link.source.host(), 1);
                }
            }
        }
    }
    Ok(Totals { backlinks: counter.backlinks, refdoms: counter.domains.len() as u64 })
}

struct Counter<'a> {
    selection: &'a Selection,
    suffixes: &'a Suffixes,
    backlinks: u64,
    domains: FxHashSet<Box<str>>,
}

impl Counter<'_> {
    fn add(&mut self, source_host: &str, links: u64) {
        if links == 0 || !self.selection.counts_source(source_host, self.suffixes) {
            return;
        }
        self.backlinks += links;
        let domain = self.suffixes.domain_of(source_host);
        if !self.domains.contains(domain) {
            self.domains.insert(domain.into());
        }
    }
}
