//! `where`: conditions on the rows of an answer.
//!
//! ```text
//! where       = disjunction
//! disjunction = conjunction *( "OR" conjunction )
//! conjunction = term *( "AND" term )
//! term        = "NOT" term | "(" disjunction ")" | condition
//! condition   = field ( "eq" | "ne" | "lt" | "le" | "gt" | "ge" ) value
//!             | field "in" "(" value *( "," value ) ")"
//!             | field ( "like" | "notlike" | "contains" | "startswith" | "endswith" | "matches" ) text
//! value       = number | "true" | "false" | text
//! text        = "'" characters "'"
//! ```
//!
//! A field is the name of a column of the listing. Names are case-sensitive. Operators, `AND`, `OR`, `NOT`, `true` and
//! `false` may be upper or lower case. Within a text a quote is doubled. Typographic quotes, ‘…’, work as well. The text
//! is checked against the types of the columns before any row is read. The parser has no side effects.

pub(crate) mod bitmap;
pub(crate) mod formula;
mod literal;
mod operator;
mod parse;
mod pattern;
mod predicate;
mod regular_expression;
mod token;
mod value_set;

pub use operator::operators_of;
pub use parse::WhereLimits;
pub(crate) use parse::parse;
