//! Scans: the records of a selection, read from one snapshot of the store.

use std::sync::Arc;

use super::engine::fields::outgoing::OutgoingLink;
use super::engine::fields::pages::AnsweredPage;
use super::selection::{LinkStates, Selection};
use super::{Deadline, QueryError};
use crate::model::{BacklinkRecord, LinkTag, OutlinkRecord};
use crate::store::{PairCounts, Snapshot};
use crate::urls::{Scope, Suffixes};

/// A selection in one snapshot of the store. Cheap to create and to copy. Its methods that compute lists are in
/// `query/lists`, and its counts in `query/aggregates/counts.rs`.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub selection: &'a Selection,
    pub suffixes: &'a Suffixes,
    pub deadline: &'a Deadline,
}

impl<'a> Scan<'a> {
    /// The external links into the scope, in key order.
    pub fn backlinks(
        &self,
        link_states: LinkStates,
    ) -> impl Iterator<Item = Result<BacklinkRecord, QueryError>> + use<'a> {
        let rows = self.snapshot.backlinks(&self.selection.scope, None).map(|row| row.map(|row| row.value));
        filter_counted(self.deadline.guard_rows(rows), self.selection, link_states, self.suffixes)
    }

    /// The pages of the scope that answered at least once, in key order.
    pub fn pages(&self) -> impl Iterator<Item = Result<AnsweredPage, QueryError>> + use<'a> {
        let rows = self.snapshot.pages(&self.selection.scope, None).map(|row| {
            row.map(|row| {
                let (url, stored) = row.value;
                AnsweredPage { url, stored }
            })
        });
        self.deadline.guard_rows(rows).filter(|row: &Result<AnsweredPage, _>| {
            row.as_ref().map_or(true, |page| page.stored.facts.status != 0)
        })
    }

    /// The active external links on the scope's pages, in the order of pages and positions.
    pub fn outgoing(&self) -> impl Iterator<Item = Result<OutgoingLink, QueryError>> + use<'a> {
        let scan = *self;
        self.pages().flat_map(move |page| match page.and_then(|page| scan.links_of(page)) {
            Ok(links) => links.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    fn links_of(&self, page: AnsweredPage) -> Result<Vec<OutgoingLink>, QueryError> {
        if page.stored.ext_links == 0 {
            return Ok(Vec::new());
        }
        self.deadline.check()?;
        let links = self.snapshot.outlinks(&page.url)?;
        let page = Arc::new(page);
        let outgoing = |link: &OutlinkRecord| link.external && link.is_active();
        Ok(links.into_iter().filter(outgoing).map(|link| OutgoingLink { page: page.clone(), link }).collect())
    }

    /// Visits pairs of a host in the scope and a host that links to it, with the counts of their links. One
    /// pair may be visited several times, each time with a part of its links. For hosts and domains the pairs
    /// come from the store, which holds their counts. A URL, a prefix, or a host with a port has no stored
    /// pairs: its backlinks are read one by one.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn host_pairs(&self, mut visit: impl FnMut(&str, &str, &PairCounts)) -> Result<(), QueryError> {
        match self.selection.scope {
            Scope::Domain { .. } | Scope::Host { port: None, .. } => {
                let mut last = (String::new(), false);
                let visit = |target: &str, source: &str, counts: &PairCounts| {
                    if last.0 != source {
                        last = (source.to_owned(), self.selection.counts_source(source, self.suffixes));
                    }
                    if last.1 {
                        visit(target, source, counts);
                    }
                };
                self.snapshot.for_each_pair(&self.selection.scope, &|| self.deadline.check(), visit)?;
            }
            Scope::Url { .. } | Scope::Host { port: Some(_), .. } | Scope::Prefix { .. } => {
                for link in self.backlinks(LinkStates::Active) {
                    let link = link?;
                    visit(link.target.host(), link.source.host(), &counts_of(&link));
                }
            }
        }
        Ok(())
    }
}

fn filter_counted<'a>(
    rows: impl Iterator<Item = Result<BacklinkRecord, QueryError>> + 'a,
    selection: &'a Selection,
    link_states: LinkStates,
    suffixes: &'a Suffixes,
) -> impl Iterator<Item = Result<BacklinkRecord, QueryError>> + 'a {
    rows.filter(move |row| {
        row.as_ref().map_or(true, |link| {
            link_states.holds(link.is_active()) && selection.counts_source(link.source.host(), suffixes)
        })
    })
}

/// The counts of a single link.
fn counts_of(link: &BacklinkRecord) -> PairCounts {
    PairCounts {
        links: 1,
        nofollow: u64::from(link.rel.is_nofollow()),
        text: u64::from(link.tag == LinkTag::A),
        image: u64::from(link.tag.is_image()),
        home: u64::from(link.target.path_and_query() == "/"),
    }
}
