//! The error type of the query stage.

use std::ops::Range;
use std::sync::Arc;

use crate::store::StoreError;

/// The number of characters of a value that a message quotes.
const MAX_QUOTED_CHARS: usize = 100;

/// What is wrong with a parameter, for programs. The names are a part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A number belongs here.
    NotANumber,
    /// There is no field with this name to filter by.
    UnknownField,
    /// The operator is unknown, or does not apply to the field.
    BadOperator,
    /// The text does not follow the grammar.
    Syntax,
    /// The value has the wrong type or form.
    BadValue,
    /// There is no column with this name.
    UnknownColumn,
    /// The parameter is missing.
    Missing,
    /// The value, or the number of values, is above its limit.
    TooLarge,
    /// The value is none of the known words.
    UnknownName,
    /// The parameter or a name in it is given twice.
    Repeated,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 10] = [
        Self::NotANumber,
        Self::UnknownField,
        Self::BadOperator,
        Self::Syntax,
        Self::BadValue,
        Self::UnknownColumn,
        Self::Missing,
        Self::TooLarge,
        Self::UnknownName,
        Self::Repeated,
    ];

    /// The name in replies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not-a-number",
            Self::UnknownField => "unknown-field",
            Self::BadOperator => "bad-operator",
            Self::Syntax => "syntax",
            Self::BadValue => "bad-value",
            Self::UnknownColumn => "unknown-column",
            Self::Missing => "missing",
            Self::TooLarge => "too-large",
            Self::UnknownName => "unknown-name",
            Self::Repeated => "repeated",
        }
    }
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The `where` text is invalid. `at` counts characters from 0; the message counts them from 1.
    #[error("where cannot be read at position {}: {problem}", at.start + 1)]
    Where { at: Range<usize>, code: ErrorCode, problem: String },
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

/// Shortens a text so that a message can quote it.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
