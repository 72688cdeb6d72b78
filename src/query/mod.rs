//! Queries: answers to questions about a scope. This folder contains no HTTP.
//!
//! A *search index* ([`SearchIndexes`]) holds all rows of a scope in columns ([`RowSet`]), in memory and on
//! disk. It is built from the store by the first query. A [`Listing`] declares a list endpoint: its columns,
//! its order and `where` fields, and the field by which rows are grouped. A [`View`] holds the rows of one
//! listing, with every column computed, in the default order. Every page of the listing is read from its
//! view: `where` yields one bit per row, `order[]` a permutation, and the window picks a few rows.
//!
//! A [`Distribution`] is the first rows of a view and the sum of the others. [`Counts`] come from the store's
//! host pairs, or from the links of a URL, a prefix or a host with a port. They are always current.
//! [`BacklinkStatistics`] (ranks, addresses, history) are computed when the index is built. Counts and ranks need no
//! index. Nor do answers about the whole index ([`SiteIndexes`]), lists that are computed for one query
//! ([`ComputedList`]), and exports. An export reads the store row by row and resumes from a [`cursor`].
//!
//! ```text
//! store ─► batches ─► RowSet ─► View (per listing) ─► where, order, window ─► RowPage ─► JSON, CSV
//!             │          └──► BacklinkStatistics
//!             └ host pairs ─► Counts
//! ```
//!
//! | folder | content |
//! |---|---|
//! | `engine` | columnar tables: fields, filters, order, groups, pages |
//! | `index` | the search indexes: cache, builder, index files |
//! | `lists` | distributions, and lists that are computed for one query |
//! | `aggregates` | counts, statistics, history, coverage, summaries |
//! | `export` | exports from the store, and their cursors |
//! | `sites` | the sites and the size of the whole index |
//!
//! Input: a [`Snapshot`](crate::store::Snapshot), a [`Selection`], the texts of `where` and `order[]`.
//! Output: rows that serialize to the shapes of the API. Queries know no users, requests or status codes.
//!
//! Invariants:
//!
//! - One answer comes from one snapshot, except for columns that are looked up for the rows of an index. Those are of
//!   the present state, and `IndexAnswer::state` is `None` if the two may differ.
//! - Equal input gives equal rows in equal order.
//! - Every row has exactly one position in the order, so paging neither repeats nor drops a row.
//! - Every loop over rows, groups, dictionaries or conditions checks the [`Deadline`] at least every few
//!   milliseconds.
//! - Parallel work runs in a thread pool that only queries use.
#![expect(
    clippy::cast_possible_truncation,
    reason = "rows, groups and dictionary codes are u32: a table refuses more rows"
)]

mod aggregates;
mod deadline;
mod engine;
mod error;
pub mod export;
mod index;
mod json;
mod lists;
mod lookup;
mod scan;
mod selection;
mod sites;
mod state;
mod thread_pool;

pub use aggregates::counts::{Counts, LinkCounts, Totals};
pub use aggregates::coverage::{Coverage, VisitedPage};
pub use aggregates::history::{DayChange, LinkHistory};
pub use aggregates::statistics::{Addresses, BacklinkStatistics};
pub use aggregates::summary::ScopeSummary;
pub use aggregates::timeline::{TimeStep, sum as sum_of_days, timeline};
pub use deadline::{CancelOnDrop, Deadline};
pub use engine::column::{Column, Value, ValueType};
pub use engine::expression::ColumnExpr;
pub use engine::facet::{Facet, FacetOthers, FacetValues};
pub(crate) use engine::fields::RANK;
pub use engine::fields::RowKind;
pub use engine::fields::competitors::Competitor;
pub use engine::fields::hops::{ChainEnd, Hop};
pub use engine::fields::referrers::{LINKS_TO_TARGET, MAX_TARGETS};
pub use engine::filter::{WhereLimits, operators_of};
pub use engine::link_visit::VisitPart;
pub use engine::listing::{FacetPlan, ListColumn, Listing, Plan};
pub use engine::order::{OrderKey, parse_order};
pub use engine::page_state::{PageState, StatePart};
pub use engine::row_page::{Row, RowPage, Window};
pub use engine::row_set::RowSet;
pub use engine::table::Table;
pub use engine::view::View;
pub(crate) use error::shorten;
pub use error::{ErrorCode, QueryError};
pub use export::cursor;
pub use index::rows::StoredRows;
pub use index::{IndexAnswer, IndexMetrics, IndexedChunk, ListQuery, SearchIndexes, WaitPolicy};
pub use lists::computed_list::ComputedList;
pub use lists::distribution::Distribution;
pub use lists::domain_changes::DomainChangeKind;
pub use lists::intersection::Intersection;
pub use lists::neighbourhood::{DomainLink, DomainNode, Neighbourhood};
pub use lookup::{NameLookup, SnapshotLookup, scope_rank};
pub use scan::Scan;
pub use selection::{LinkStates, SameDomainLinks, Selection};
pub use sites::{IndexSize, SiteIndex, SiteIndexes, SiteName, SiteState};
pub use state::{IndexState, PresentState};
pub(crate) use thread_pool::parallel;
pub use thread_pool::start_threads;
