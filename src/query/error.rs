//! The error type of the query stage.

use std::sync::Arc;

use crate::store::StoreError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The `where` text is invalid. `position` counts characters from 1.
    #[error("where cannot be read at position {position}: {problem}")]
    Where { position: usize, problem: String },
    #[error("next is not a token that this endpoint gave for this url; start again without next")]
    Cursor,
    #[error("the query took longer than api.deadline allows; ask for a smaller scope, or raise api.deadline")]
    Deadline,
    #[error("the scope has more than 4,294,967,295 links; ask for a smaller scope")]
    TooManyRows,
    /// A listing names a column that its rows do not have. The declaration is wrong.
    #[error("the listing refers to a column \"{0}\" that its rows do not have; correct its declaration")]
    Declaration(String),
    /// The index of the answer could not be built.
    #[error("the search index could not be built: {0}")]
    Build(Arc<str>),
}
