//! Coverage: whether a crawl has discovered or visited a scope. A few rows decide, however large the scope
//! is.

use crate::model::{Day, StoredPage};
use crate::query::engine::page_state::PageState;
use crate::query::{Deadline, QueryError};
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope};

/// Pages checked for one that responded. The first pages of a scope may be without a response.
const MAX_PAGES_CHECKED: usize = 8;

/// How much of a scope the index contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Nothing: no visit, link, queue or seed list contains the scope.
    Unknown,
    /// The scope was discovered, but no page was visited.
    Unvisited,
    /// At least this page was visited.
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
    /// Every name, from the least coverage to the most.
    pub const NAMES: [&'static str; 3] = ["unknown", "discovered", "visited"];

    /// The name in replies.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unvisited => "discovered",
            Self::Visited(_) => "visited",
        }
    }

    /// The coverage of a scope.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn of(scope: &Scope, snapshot: &Snapshot<'_>, deadline: &Deadline) -> Result<Self, QueryError> {
        let mut first = None;
        for row in deadline.guard_rows(snapshot.pages(scope, None)).take(MAX_PAGES_CHECKED) {
            let page = VisitedPage::from(row?.value);
            if !page.state.was_unanswered() {
                return Ok(Self::Visited(page));
            }
            first.get_or_insert(page);
        }
        Ok(match first {
            Some(page) => Self::Visited(page),
            None if snapshot.is_known(scope)? || is_queued_below(scope, snapshot, deadline)? => {
                Self::Unvisited
            }
            None => Self::Unknown,
        })
    }
}

/// Whether a URL below a prefix is queued.
fn is_queued_below(scope: &Scope, snapshot: &Snapshot<'_>, deadline: &Deadline) -> Result<bool, QueryError> {
    for below in deadline.guard_rows(snapshot.queued_below(scope)) {
        if below? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl From<(CanonicalUrl, StoredPage)> for VisitedPage {
    fn from((url, page): (CanonicalUrl, StoredPage)) -> Self {
        Self { url, day: Day::from_unix_seconds(page.visited), state: PageState::from(&page) }
    }
}
