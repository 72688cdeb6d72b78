//! Sites: every host and registrable domain with pages or backlinks, and their figures in one state of the index.
//!
//! A list is read from a snapshot: all keys of pages and all host pairs. This takes as long as a pass of the ranking,
//! so the ranking does it and leaves the list in a file beside the database. The file is derived data: without it, a
//! list can be read again.

pub(super) mod file;
mod links;
mod read;

use crate::model::SearchRank;
use crate::store::{Snapshot, StoreError};

/// A host or a registrable domain with its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFigures {
    pub name: String,
    pub kind: SiteKind,
    pub rank: SearchRank,
    /// Active external links to it.
    pub backlinks: u64,
    /// Distinct registrable domains of the linking pages.
    pub refdoms: u64,
    /// Pages that answered at least once.
    pub pages: u64,
    /// Hosts with pages or backlinks; of a host 1.
    pub hosts: u64,
}

/// What a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteKind {
    Domain,
    Host,
}

/// All sites in one state of the index, sorted by name. A host with the name of its domain is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteList {
    pub sites: Vec<SiteFigures>,
    /// The number of the last commit before the state was read.
    pub change: u64,
    /// The Unix time at which the state was read.
    pub read_at: u64,
    /// Whether all rows were read. If not, figures count the rows that were.
    pub complete: bool,
}

impl SiteKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Host => "host",
        }
    }
}

impl SiteList {
    /// Gives every site its current rank. Calls `proceed` every few hundred sites; its error ends the work.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a rank is damaged, and the error of `proceed`.
    pub fn fill_ranks<E: From<StoreError>>(
        &mut self,
        snapshot: &Snapshot<'_>,
        proceed: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, site) in self.sites.iter_mut().enumerate() {
            if at.is_multiple_of(SITES_PER_CHECK) {
                proceed()?;
            }
            site.rank = match site.kind {
                SiteKind::Domain => snapshot.domain_rank(&site.name)?,
                SiteKind::Host => snapshot.host_rank(&site.name)?,
            };
        }
        Ok(())
    }
}

/// Sites between two checks for an abort.
const SITES_PER_CHECK: usize = 512;
