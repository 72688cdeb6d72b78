//! Entries of the cache: their keys, values and origins.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::query::aggregates::facts::Facts;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::view::head::ViewHead;
use crate::query::selection::{Activity, Internal, Selection};
use crate::query::{Counts, IndexState, LinkCounts, QueryError, ScopeSummary, View};
use crate::store::{ChangeNumbers, Snapshot};
use crate::urls::Scope;

/// The key of a cached value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct IndexKey {
    pub selection: Arc<Selection>,
    pub kind: EntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EntryKind {
    RowSet(RowKind),
    Facts,
    Counts,
    LinkCounts,
    Summary,
    View(&'static str, Activity),
    ViewHead(&'static str),
}

/// A cached value.
#[derive(Clone, Debug)]
pub(super) enum CacheValue {
    RowSet(Arc<RowSet>),
    Facts(Arc<Facts>),
    Counts(Counts),
    LinkCounts(LinkCounts),
    Summary(Arc<ScopeSummary>),
    View(Arc<View>),
    ViewHead(Arc<ViewHead>),
}

/// The version of the stored data that a value was computed from. Each number changes with its
/// data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct StoreVersion {
    /// The last change of the links into the scope's domain, or of the domain's own pages.
    pub links: u64,
    pub ranks: u32,
    /// The last change of the other data that the value depends on.
    pub others: u64,
}

/// The data that a value depends on, in addition to ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub rows: RowKind,
    pub others: OtherData,
}

impl Dependencies {
    /// Those of a summary: the links into the scope, and its own pages.
    pub(super) const SUMMARY: Self = Self { rows: RowKind::Backlinks, others: OtherData::Pages };
}

/// Data that a value depends on in addition to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherData {
    Nothing,
    /// The states of the scope's own pages.
    Pages,
    /// Links into other domains, or their pages.
    Everything,
}

impl OtherData {
    /// The number of the last change of this data.
    pub(super) fn last_change(
        self,
        changes: ChangeNumbers,
        snapshot: &Snapshot<'_>,
    ) -> Result<u64, QueryError> {
        Ok(match self {
            Self::Nothing => 0,
            Self::Pages => changes.outgoing,
            Self::Everything => snapshot.last_change()?,
        })
    }
}

/// A cached value and its origin.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    pub value: CacheValue,
    pub origin: ValueOrigin,
}

/// A summary with facts, and its origin.
#[derive(Clone, Debug)]
pub(super) struct BuiltSummary {
    pub summary: Arc<ScopeSummary>,
    pub origin: ValueOrigin,
}

/// The version of the store that a cached value was computed from, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueOrigin {
    pub version: StoreVersion,
    /// When the rows were read.
    pub read_at: SystemTime,
    /// The store's change number at which `version` was last found to be current; `None` when it is outdated or was
    /// not checked yet.
    pub valid_at: Option<u64>,
    /// The last state of the store that the value is known to be of; `None` if its parts are of several states.
    pub state: Option<IndexState>,
}

impl ValueOrigin {
    /// An origin that was not checked yet.
    pub(super) fn unchecked(version: StoreVersion, read_at: SystemTime, state: Option<IndexState>) -> Self {
        Self { version, read_at, valid_at: None, state }
    }

    /// The origin after a check; `None` when the value must not be used.
    pub(super) fn checked(self, freshness: Freshness) -> Option<Self> {
        match freshness {
            Freshness::Current { at, state } => Some(Self { valid_at: Some(at), state: Some(state), ..self }),
            Freshness::Stale => Some(Self { valid_at: None, ..self }),
            Freshness::Expired => None,
        }
    }

    /// Whether the value is known to be of the present state of the store.
    pub(super) fn is_current(&self) -> bool {
        self.valid_at.is_some()
    }
}

/// Whether a value may be used, by its age and by the state of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The value is of the present state. `at` is the store's change number before this was checked.
    Current { at: u64, state: IndexState },
    /// The value is of an earlier state, but younger than `search.refresh`: it may be used unless it is empty.
    Stale,
    /// The value is of an earlier state and too old to be used.
    Expired,
}

impl Freshness {
    /// The freshness of a value that is not current, by the time since its rows were read. Clocks can be set back: a
    /// time in the future counts by its distance.
    pub(super) fn by_age(read_at: SystemTime, refresh: Duration) -> Self {
        let age = read_at.elapsed().unwrap_or_else(|ahead| ahead.duration());
        if age < refresh { Self::Stale } else { Self::Expired }
    }
}

impl CacheValue {
    /// Whether the value contains no rows.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::RowSet(row_set) => row_set.rows() == 0,
            Self::View(view) => view.rows() == 0,
            Self::ViewHead(head) => head.count == 0,
            Self::Facts(facts) => facts.history.is_empty(),
            Self::Summary(summary) => summary.facts.as_ref().is_none_or(|facts| facts.history.is_empty()),
            Self::Counts(_) | Self::LinkCounts(_) => false,
        }
    }

    /// The size in memory in bytes, estimated.
    pub(super) fn bytes(&self) -> usize {
        const SMALL: usize = 512;
        SMALL
            + match self {
                Self::RowSet(row_set) => row_set.bytes(),
                // A view of plain rows shares the columns of its row set, so these are counted twice. That is
                // better than not counting them: the view may outlive the row set.
                Self::View(view) => view.bytes(),
                Self::ViewHead(head) => head.view.bytes(),
                Self::Facts(facts) => facts.history.len() * 80,
                // The facts have an entry of their own, which the summary may outlive.
                Self::Summary(summary) => summary.facts.as_ref().map_or(0, |facts| facts.history.len() * 80),
                Self::Counts(_) | Self::LinkCounts(_) => 0,
            }
    }
}

impl IndexKey {
    pub(super) fn new(selection: &Arc<Selection>, kind: EntryKind) -> Self {
        Self { selection: Arc::clone(selection), kind }
    }
}

/// Raise this when fields or listings change, so that older index files are not used.
const VERSION: u32 = 3;

/// A name that no other key has, in this and other versions of the program.
impl fmt::Display for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {VERSION} ", env!("CARGO_PKG_VERSION"))?;
        match &self.selection.scope {
            Scope::Url { url, also: None } => write!(f, "url {url}")?,
            Scope::Url { url, also: Some(also) } => write!(f, "url {url} {also}")?,
            Scope::Host { host, port: None } => write!(f, "host {host}")?,
            Scope::Host { host, port: Some(port) } => write!(f, "host {host}:{port}")?,
            Scope::Domain { domain } => write!(f, "domain {domain}")?,
            Scope::Prefix { host, port: None, path } => write!(f, "prefix {host}{}", path.as_str())?,
            Scope::Prefix { host, port: Some(port), path } => {
                write!(f, "prefix {host}:{port}{}", path.as_str())?;
            }
        }
        if self.selection.internal == Internal::Exclude {
            write!(f, " external")?;
        }
        match self.kind {
            EntryKind::RowSet(rows) => write!(f, " base {rows:?}"),
            EntryKind::Facts => write!(f, " facts"),
            EntryKind::Counts => write!(f, " counts"),
            EntryKind::LinkCounts => write!(f, " link counts"),
            EntryKind::Summary => write!(f, " summary"),
            EntryKind::View(name, activity) => write!(f, " view {name} {activity:?}"),
            EntryKind::ViewHead(name) => write!(f, " view {name} {:?}", Activity::Active),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_decides_on_stale_and_expired() {
        let (now, minute) = (SystemTime::now(), Duration::from_secs(60));
        assert_eq!(Freshness::by_age(now, minute), Freshness::Stale);
        assert_eq!(Freshness::by_age(now - 2 * minute, minute), Freshness::Expired);
        assert_eq!(Freshness::by_age(now + 2 * minute, minute), Freshness::Expired);
        assert_eq!(Freshness::by_age(now + minute / 2, minute), Freshness::Stale);
        assert_eq!(Freshness::by_age(now, Duration::ZERO), Freshness::Expired);
    }

    #[test]
    fn a_check_keeps_current_and_stale_values() {
        let state = |change| IndexState { change, read_at: 1 };
        let origin = ValueOrigin::unchecked(StoreVersion::default(), SystemTime::now(), Some(state(3)));
        assert!(!origin.is_current());
        let current = origin.checked(Freshness::Current { at: 7, state: state(7) }).unwrap();
        assert_eq!((current.valid_at, current.is_current()), (Some(7), true));
        let stale = current.checked(Freshness::Stale).unwrap();
        assert_eq!((stale.is_current(), stale.state), (false, Some(state(7))));
        assert!(current.checked(Freshness::Expired).is_none());
    }
}
