//! The read side: answers to questions about a scope, without HTTP.
//!
//! A *listing* (one declaration per endpoint: columns, order fields, where fields) is answered in four steps:
//! [`scan`] turns the scope's rows into a columnar [`Table`]; the rows are grouped, where the listing says so;
//! `where` and `order[]` pick the rows of the page; only then are the columns that the page shows worked out.
//! A *distribution* is a listing's first rows and the sum of the others. Totals come from the store's host pairs,
//! a history from the days that links carry; exports read the store row by row and leave a [`cursor`] behind.
//!
//! In: a [`Snapshot`](crate::store::Snapshot), a [`Selection`], the texts of `where` and `order[]`.
//! Out: rows that serialise to the shapes of the API. Invariants: one answer comes from one snapshot; equal
//! input gives equal rows in equal order; every row has exactly one place in the order, so that paging neither
//! repeats nor drops one. Long loops look at a [`Deadline`]. It does not know users, requests or status codes.

mod aggregate;
mod column;
pub mod cursor;
mod deadline;
mod dictionary;
mod distribution;
pub mod export;
mod field;
mod filter;
mod frame;
mod groups;
mod history;
mod listing;
mod lookup;
mod order;
pub mod scan;
mod spread;
mod table;
mod totals;

pub use column::{Column, Kind, Value};
pub use deadline::{CancelOnDrop, Deadline};
pub use distribution::Distribution;
pub use field::{BACKLINK_FIELDS, Field, OUTGOING_FIELDS, PAGE_FIELDS, Read};
pub use frame::Compute;
pub use history::DayChange;
pub use listing::{ListColumn, Listing, Page, Plan, Row, Rows, Window};
pub use lookup::{LookUp, scope_rank};
pub use order::{OrderKey, parse as read_order};
pub use scan::{Activity, Internal, Scan, Selection};
pub use spread::{Addresses, Depth, LinkCounts};
pub use table::Table;
pub use totals::{Totals, totals};

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
}
