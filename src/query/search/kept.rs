//! What is kept of a selection: names, contents, and the state of the store that they tell of.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::query::base::Base;
use crate::query::facts::Facts;
use crate::query::field::Rows;
use crate::query::page::{Page, Window};
use crate::query::scan::{Activity, Internal, Selection};
use crate::query::{Counts, Deadline, LinkCounts, Plan, QueryError, View};
use crate::store::{Changes, Snapshot};
use crate::urls::Scope;

/// The name of something kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub selection: Arc<Selection>,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Base(Rows),
    Facts,
    Counts,
    LinkCounts,
    View(&'static str, Activity),
    Head(&'static str),
}

/// Something kept.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Base(Arc<Base>),
    Facts(Arc<Facts>),
    Counts(Counts),
    LinkCounts(LinkCounts),
    View(Arc<View>),
    Head(Arc<Head>),
}

/// The first rows of a view, for pages that show no others.
#[derive(Debug)]
pub struct Head {
    pub view: View,
    /// How many rows the whole view has.
    pub count: usize,
}

impl Head {
    /// The page asked for, if the head holds all of it.
    pub fn page(&self, plan: &Plan, window: Window, deadline: &Deadline) -> Result<Option<Page>, QueryError> {
        let end = window.offset.saturating_add(window.limit);
        let whole = self.view.rows() == self.count;
        if !plan.is_plain() || (end > self.view.rows() && !whole && window.offset < self.count) {
            return Ok(None);
        }
        let page = self.view.page(plan, window, deadline)?;
        Ok(Some(Page { count: self.count, ..page }))
    }
}

/// The state of the store that something kept was worked out from: numbers that change with what it depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Stamp {
    /// The last change of the links into the scope's domain, or of the domain's own pages.
    pub links: u64,
    pub ranks: u32,
    /// The last change of anything else that it depends on.
    pub others: u64,
}

/// What something depends on besides ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub rows: Rows,
    pub others: Others,
}

/// What else something depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Nothing,
    /// How the scope's own pages stand.
    Pages,
    /// Links into other domains.
    Everything,
}

impl Others {
    /// The number of the last change of it.
    pub fn last_change(self, changes: Changes, snapshot: &Snapshot<'_>) -> Result<u64, QueryError> {
        Ok(match self {
            Self::Nothing => 0,
            Self::Pages => changes.outgoing,
            Self::Everything => snapshot.last_change()?,
        })
    }
}

/// Something kept, with its state.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub part: Part,
    pub stamp: Stamp,
    /// When its rows were read.
    pub read_at: SystemTime,
    /// The store's change number at which its stamp was last found to be right; `None` when it is not, or not looked
    /// at yet.
    pub valid_at: Option<u64>,
}

impl Part {
    /// Whether it says that there is nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Base(base) => base.rows() == 0,
            Self::View(view) => view.rows() == 0,
            Self::Head(head) => head.count == 0,
            Self::Facts(facts) => facts.history.is_empty(),
            Self::Counts(_) | Self::LinkCounts(_) => false,
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        const SMALL: usize = 512;
        SMALL
            + match self {
                Self::Base(base) => base.bytes(),
                // A view of plain rows shares its base's columns, and so is counted twice: better than not at all,
                // since it may outlive the base.
                Self::View(view) => view.bytes(),
                Self::Head(head) => head.view.bytes(),
                Self::Facts(facts) => facts.history.len() * 80,
                Self::Counts(_) | Self::LinkCounts(_) => 0,
            }
    }
}

impl Key {
    pub fn new(selection: &Arc<Selection>, what: What) -> Self {
        Self { selection: Arc::clone(selection), what }
    }
}

/// Raised when fields or listings change, so that what was kept before is not taken for what would be made now.
const VERSION: u32 = 1;

/// A name that no other key has, now and in other versions of this program.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {VERSION} ", env!("CARGO_PKG_VERSION"))?;
        match &self.selection.scope {
            Scope::Url { url, also: None } => write!(f, "url {url}")?,
            Scope::Url { url, also: Some(also) } => write!(f, "url {url} {also}")?,
            Scope::Host { host, port: None } => write!(f, "host {host}")?,
            Scope::Host { host, port: Some(port) } => write!(f, "host {host}:{port}")?,
            Scope::Domain { domain } => write!(f, "domain {domain}")?,
        }
        if self.selection.internal == Internal::Exclude {
            write!(f, " external")?;
        }
        match self.what {
            What::Base(rows) => write!(f, " base {rows:?}"),
            What::Facts => write!(f, " facts"),
            What::Counts => write!(f, " counts"),
            What::LinkCounts => write!(f, " link counts"),
            What::View(name, activity) => write!(f, " view {name} {activity:?}"),
            What::Head(name) => write!(f, " view {name} {:?}", Activity::Active),
        }
    }
}
