//! Entries of the cache: their keys, values and origins.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::query::aggregates::statistics::BacklinkStatistics;
use crate::query::engine::fields::RowKind;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::view::head::ViewHead;
use crate::query::selection::{LinkStates, SameDomainLinks, Selection};
use crate::query::{Counts, IndexState, LinkCounts, QueryError, ScopeSummary, View};
use crate::store::{ChangeNumbers, Snapshot};
use crate::urls::Scope;

/// The key of a cached value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    pub selection: Arc<Selection>,
    pub kind: EntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EntryKind {
    RowSet(RowKind),
    Statistics,
    Counts,
    LinkCounts,
    Summary,
    View(&'static str, LinkStates),
    ViewHead(&'static str),
}

/// A cached value.
#[derive(Clone, Debug)]
pub(super) enum CacheValue {
    RowSet(Arc<RowSet>),
    Statistics(Arc<BacklinkStatistics>),
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
    /// The last change of the rows: of the links into the scope's domain, or of the domain's own pages.
    #[serde(rename = "links")]
    pub rows: u64,
    pub ranks: u32,
    /// The last change of the extra data that the value depends on.
    #[serde(rename = "others")]
    pub extra: u64,
}

/// The data that a value depends on, in addition to ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub rows: RowKind,
    pub extra: ExtraDependency,
}

impl Dependencies {
    /// Those of a summary: the links into the scope, and its own pages.
    pub(super) const SUMMARY: Self = Self { rows: RowKind::Backlinks, extra: ExtraDependency::OwnPages };
}

/// Data that a value depends on in addition to its rows and to ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtraDependency {
    None,
    /// The states of the scope's own pages.
    OwnPages,
    /// Links into other domains, or their pages.
    OtherDomains,
}

impl ExtraDependency {
    /// The number of the last change of this data.
    pub(super) fn last_change(
        self,
        changes: ChangeNumbers,
        snapshot: &Snapshot<'_>,
    ) -> Result<u64, QueryError> {
        Ok(match self {
            Self::None => 0,
            Self::OwnPages => changes.outgoing,
            Self::OtherDomains => snapshot.last_change()?,
        })
    }
}

/// A cached value and its origin.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    pub value: CacheValue,
    pub origin: ValueOrigin,
}

/// A summary with statistics, and its origin.
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
    pub current_at_change: Option<u64>,
    /// The last state of the store that the value is known to be of; `None` if its parts are of several states.
    pub state: Option<IndexState>,
}

impl ValueOrigin {
    /// An origin that was not checked yet.
    pub(super) fn unchecked(version: StoreVersion, read_at: SystemTime, state: Option<IndexState>) -> Self {
        Self { version, read_at, current_at_change: None, state }
    }

    /// The origin after a check; `None` when the value must not be used.
    pub(super) fn checked(self, freshness: Freshness) -> Option<Self> {
        match freshness {
            Freshness::Current { change_number, state } => {
                Some(Self { current_at_change: Some(change_number), state: Some(state), ..self })
            }
            Freshness::Stale => Some(Self { current_at_change: None, ..self }),
            Freshness::Expired => None,
        }
    }

    /// Whether the value is known to be of the present state of the store.
    pub(super) fn is_current(&self) -> bool {
        self.current_at_change.is_some()
    }
}

/// Whether a value may be used, by its age and by the state of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The value is of the present state: it was checked at this change number of the store.
    Current { change_number: u64, state: IndexState },
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
            Self::Statistics(statistics) => statistics.history.is_empty(),
            Self::Summary(summary) => {
                summary.statistics.as_ref().is_none_or(|statistics| statistics.history.is_empty())
            }
            Self::Counts(_) | Self::LinkCounts(_) => false,
        }
    }

    /// The size in memory in bytes, estimated.
    pub(super) fn memory_bytes(&self) -> usize {
        const SMALL: usize = 512;
        SMALL
            + match self {
                Self::RowSet(row_set) => row_set.memory_bytes(),
                // A view of plain rows shares the columns of its row set, so these are counted twice. That is
                // better than not counting them: the view may outlive the row set.
                Self::View(view) => view.memory_bytes(),
                Self::ViewHead(head) => head.view.memory_bytes(),
                Self::Statistics(statistics) => statistics.history.len() * 80,
                // The statistics have an entry of their own, which the summary may outlive.
                Self::Summary(summary) => {
                    summary.statistics.as_ref().map_or(0, |statistics| statistics.history.len() * 80)
                }
                Self::Counts(_) | Self::LinkCounts(_) => 0,
            }
    }
}

impl EntryKey {
    pub(super) fn new(selection: &Arc<Selection>, kind: EntryKind) -> Self {
        Self { selection: Arc::clone(selection), kind }
    }
}

/// The word for these states in keys. Files on disk are named after keys.
fn key_name(link_states: LinkStates) -> &'static str {
    match link_states {
        LinkStates::Active => "Active",
        LinkStates::Lost => "Inactive",
        LinkStates::Both => "Both",
    }
}

/// Raise this when fields or listings change, so that older index files are not used.
const VERSION: u32 = 3;

/// A name that no other key has, in this and other versions of the program.
impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {VERSION} ", env!("CARGO_PKG_VERSION"))?;
        match &self.selection.scope {
            Scope::Url { url, https_url: None } => write!(f, "url {url}")?,
            Scope::Url { url, https_url: Some(https_url) } => write!(f, "url {url} {https_url}")?,
            Scope::Host { host, port: None } => write!(f, "host {host}")?,
            Scope::Host { host, port: Some(port) } => write!(f, "host {host}:{port}")?,
            Scope::Domain { domain } => write!(f, "domain {domain}")?,
            Scope::Prefix { host, port: None, path } => write!(f, "prefix {host}{}", path.as_str())?,
            Scope::Prefix { host, port: Some(port), path } => {
                write!(f, "prefix {host}:{port}{}", path.as_str())?;
            }
        }
        if self.selection.internal == SameDomainLinks::Exclude {
            write!(f, " external")?;
        }
        match self.kind {
            EntryKind::RowSet(rows) => write!(f, " base {rows:?}"),
            EntryKind::Statistics => write!(f, " facts"),
            EntryKind::Counts => write!(f, " counts"),
            EntryKind::LinkCounts => write!(f, " link counts"),
            EntryKind::Summary => write!(f, " summary"),
            EntryKind::View(name, link_states) => write!(f, " view {name} {}", key_name(link_states)),
            EntryKind::ViewHead(name) => write!(f, " view {name} {}", key_name(LinkStates::Active)),
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
        let current = origin.checked(Freshness::Current { change_number: 7, state: state(7) }).unwrap();
        assert_eq!((current.current_at_change, current.is_current()), (Some(7), true));
        let stale = current.checked(Freshness::Stale).unwrap();
        assert_eq!((stale.is_current(), stale.state), (false, Some(state(7))));
        assert!(current.checked(Freshness::Expired).is_none());
    }
}
