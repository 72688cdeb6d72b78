//! The read side: answers to questions about a scope, without HTTP.
//!
//! The rows of a scope are read once, into a table by columns ([`Base`]), and kept as the scope's *search index*
//! ([`Searches`]), in memory and on disk. A *listing* is one declaration per endpoint: columns, order fields, where
//! fields, the field that rows are grouped by. It is answered from its [`View`]: all its rows with all columns
//! worked out, in its default order. `where` then is a bit per row, `order[]` a permutation, a page a few rows picked.
//! A *distribution* is a listing's first rows and the sum of the others. [`Counts`] come from the store's host pairs
//! and are always of the present state; [`Facts`] (ranks, addresses, history) are worked out with the index. Lists
//! that are made for one question alone ([`Made`]) and exports, which read the store row by row and leave a [`cursor`]
//! behind, have no index.
//!
//! ```text
//! store ─► batches ─► Base ─► View (per listing) ─► where, order, window ─► Page ─► JSON, CSV
//!             │         └──► Facts
//!             └ host pairs ─► Counts
//! ```
//!
//! In: a [`Snapshot`](crate::store::Snapshot), a [`Selection`], the texts of `where` and `order[]`.
//! Out: rows that serialise to the shapes of the API. Invariants: one answer comes from one snapshot; equal
//! input gives equal rows in equal order; every row has exactly one place in the order, so that paging neither
//! repeats nor drops one. No loop over rows, groups, dictionaries or conditions runs
//! for longer than a few milliseconds without a look at the [`Deadline`], and what is shared among threads runs on those
//! of a pool for queries alone. It does not know users, requests or status codes.

mod base;
mod bitmap;
mod chain;
mod column;
mod competitors;
mod compute;
mod counts;
mod coverage;
pub mod cursor;
mod deadline;
mod dictionary;
mod distribution;
pub mod export;
mod facts;
mod field;
mod filter;
mod group;
mod history;
mod intersection;
mod json;
mod listing;
mod looked_up;
mod lookup;
mod made;
mod order;
mod page;
mod page_state;
mod pool;
mod scan;
mod search;
mod table;
mod view;

pub use base::{Base, Reading};
pub use chain::{ChainEnd, Hop};
pub use column::{Column, Kind, Value};
pub use competitors::Competitor;
pub use compute::Compute;
pub use counts::{Counts, LinkCounts, Totals};
pub use coverage::{Coverage, VisitedPage};
pub use deadline::{CancelOnDrop, Deadline};
pub use distribution::Distribution;
pub use facts::{Addresses, Facts};
pub use field::Rows;
pub use history::{DayChange, Past};
pub use intersection::{Intersection, LINKS_TO_TARGET, MAX_TARGETS};
pub use listing::{ListColumn, Listing, Plan};
pub use lookup::{Known, LookUp, scope_rank};
pub use made::Made;
pub use order::{OrderKey, parse as read_order};
pub use page::{Page, Row, Window};
pub use page_state::{PageState, StatePart};
pub use pool::start_threads;
pub use scan::{Activity, Internal, Scan, Selection};
pub use search::{ExportPage, Found, Patience, Question, SearchFigures, Searches};
pub use table::Table;
pub use view::View;

use std::sync::Arc;

use crate::store::StoreError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The `where` text is wrong. `position` counts characters from 1.
    #[error("where cannot be read at position {position}: {problem}")]
    Where { position: usize, problem: String },
    #[error("next is not a token that this endpoint gave for this url; start again without next")]
    Cursor,
    #[error("the query took longer than api.deadline allows; ask for a smaller scope, or raise api.deadline")]
    Deadline,
    #[error("the scope has more than 4,294,967,295 links; ask for a smaller scope")]
    TooManyRows,
    /// A listing names a column that its rows do not have: a mistake in the declaration.
    #[error("the listing refers to a column \"{0}\" that its rows do not have; correct its declaration")]
    Declaration(String),
    /// The index that the answer is taken from could not be built.
    #[error("the search index could not be built: {0}")]
    Build(Arc<str>),
}
