//! What the index has of a scope: whether a crawl met it, and whether a crawl visited it. A few rows decide, however
//! large the scope is.

use super::page_state::PageState;
use super::{Deadline, QueryError};
use crate::model::{Day, StoredPage};
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope};

/// Pages looked at for one that was answered: a scope may begin with some that were not.
const LOOKED_AT: usize = 8;

/// What the index has of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Nothing: no visit, link, queue or seed list led to it.
    Unknown,
    /// Word of it.
    Unvisited,
    /// At least this page.
    Visited(VisitedPage),
}

/// A page and its last visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitedPage {
    pub url: CanonicalUrl,
    pub day: Day,
    pub state: PageState,
}

impl Coverage {
    /// # Errors
    /// What the store or the deadline reports.
    pub fn of(scope: &Scope, snapshot: &Snapshot<'_>, deadline: &Deadline) -> Result<Self, QueryError> {
        let mut first = None;
        for row in deadline.over(snapshot.pages(scope, None)).take(LOOKED_AT) {
            let page = VisitedPage::from(row?.value);
            if !page.state.was_unanswered() {
                return Ok(Self::Visited(page));
            }
            first.get_or_insert(page);
        }
        Ok(match first {
            Some(page) => Self::Visited(page),
            None if snapshot.is_known(scope)? => Self::Unvisited,
            None => Self::Unknown,
        })
    }
}

impl From<(CanonicalUrl, StoredPage)> for VisitedPage {
    fn from((url, page): (CanonicalUrl, StoredPage)) -> Self {
        Self { url, day: Day::from_unix_seconds(page.visited), state: PageState::from(&page) }
    }
}
