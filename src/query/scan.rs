//! What a query is about, and the door through which records are read from the store.

use std::sync::Arc;

use super::field::{AnsweredPage, OutgoingLink};
use super::{Deadline, QueryError};
use crate::model::{BacklinkRecord, LinkTag, OutlinkRecord};
use crate::store::{PairCounts, Snapshot};
use crate::urls::{Scope, Suffixes};

/// What a query is about: a scope, and which links into it count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    pub scope: Scope,
    pub internal: Internal,
}

/// Whether links from the scope's own registrable domain count as backlinks. Says nothing of outgoing links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Internal {
    #[default]
    Include,
    Exclude,
}

/// Which backlinks a list is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Those that are there.
    #[default]
    Active,
    /// Those that were lost.
    Inactive,
    Both,
}

/// A selection in one state of the store, ready to be read. Cheap to make.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub selection: &'a Selection,
    pub suffixes: &'a Suffixes,
    pub deadline: &'a Deadline,
}

impl Selection {
    /// Whether a link from this host counts.
    pub fn counts_source(&self, host: &str, suffixes: &Suffixes) -> bool {
        self.internal == Internal::Include || suffixes.domain_of(host) != self.scope.domain(suffixes)
    }
}

impl Activity {
    fn holds(self, active: bool) -> bool {
        match self {
            Self::Active => active,
            Self::Inactive => !active,
            Self::Both => true,
        }
    }
}

impl<'a> Scan<'a> {
    /// The external links into the scope, in key order.
    pub fn backlinks(
        &self,
        activity: Activity,
    ) -> impl Iterator<Item = Result<BacklinkRecord, QueryError>> + use<'a> {
        let rows = self.snapshot.backlinks(&self.selection.scope, None).map(|row| row.map(|row| row.value));
        counted(self.deadline.over(rows), self.selection, activity, self.suffixes)
    }

    /// The pages of the scope that were ever answered, in key order.
    pub fn pages(&self) -> impl Iterator<Item = Result<AnsweredPage, QueryError>> + use<'a> {
        let rows = self.snapshot.pages(&self.selection.scope, None).map(|row| {
            row.map(|row| {
                let (url, stored) = row.value;
                AnsweredPage { url, stored }
            })
        });
        self.deadline
            .over(rows)
            .filter(|row: &Result<AnsweredPage, _>| row.as_ref().map_or(true, |page| page.stored.status != 0))
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

    /// Tells of pairs of a host in the scope and a host that links to it, perhaps in several parts, and counts their
    /// links. Hosts and domains are counted from the store's host pairs, without reading a link. A URL, or a host
    /// narrowed to one port, has no pairs of its own: its backlinks are read.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn host_pairs(&self, mut tell: impl FnMut(&str, &str, &PairCounts)) -> Result<(), QueryError> {
        match self.selection.scope {
            Scope::Domain { .. } | Scope::Host { port: None, .. } => {
                let mut last = (String::new(), false);
                let tell = |target: &str, source: &str, counts: &PairCounts| {
                    if last.0 != source {
                        last = (source.to_owned(), self.selection.counts_source(source, self.suffixes));
                    }
                    if last.1 {
                        tell(target, source, counts);
                    }
                };
                self.snapshot.for_each_pair(&self.selection.scope, &|| self.deadline.check(), tell)?;
            }
            Scope::Url { .. } | Scope::Host { port: Some(_), .. } => {
                for link in self.backlinks(Activity::Active) {
                    let link = link?;
                    tell(link.target.host(), link.source.host(), &counts_of(&link));
                }
            }
        }
        Ok(())
    }
}

fn counted<'a>(
    rows: impl Iterator<Item = Result<BacklinkRecord, QueryError>> + 'a,
    selection: &'a Selection,
    activity: Activity,
    suffixes: &'a Suffixes,
) -> impl Iterator<Item = Result<BacklinkRecord, QueryError>> + 'a {
    rows.filter(move |row| {
        row.as_ref().map_or(true, |link| {
            activity.holds(link.is_active()) && selection.counts_source(link.source.host(), suffixes)
        })
    })
}

/// A single link, as host pairs count it.
fn counts_of(link: &BacklinkRecord) -> PairCounts {
    PairCounts {
        links: 1,
        nofollow: u64::from(link.rel.is_nofollow()),
        text: u64::from(link.tag == LinkTag::A),
        image: u64::from(link.tag.is_image()),
        home: u64::from(link.target.path_and_query() == "/"),
    }
}
