//! The read side: answers to questions about a scope, without HTTP.
//!
//! A *listing* (one declaration per endpoint: columns, order fields, where fields) is answered in four steps:
//! [`scan`] turns the scope's rows into a columnar [`Table`]; the rows are grouped, where the listing says so;
//! `where` and `order[]` pick the rows of the page; only then are the columns that the page shows worked out.
//! Totals come from the store's host pairs, exports read the store row by row and leave a [`cursor`] behind.
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
pub mod export;
mod field;
mod filter;
mod frame;
mod groups;
mod listing;
mod order;
mod ranks;
pub mod scan;
mod table;
mod totals;

pub use column::{Column, Kind, Value};
pub use deadline::{CancelOnDrop, Deadline};
pub use field::{BACKLINK_FIELDS, Field, Read};
pub use frame::Compute;
pub use listing::{ListColumn, Listing, Page, Plan, Rows, Window};
pub use ranks::{RankSource, scope_rank};
pub use scan::{Internal, Selection};
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
