//! `where`: conditions on the rows of an answer.
//!
//! ```text
//! where     = condition *( "AND" condition )
//! condition = field ( "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "like" | "notlike" ) value
//!           | field "in" "(" value *( "," value ) ")"
//! value     = number | "true" | "false" | "'" text "'"
//! ```
//!
//! Field names are exact; operators, `AND`, `true` and `false` may be written in any case. A quote is doubled
//! inside a text. Texts may also stand in typographic quotes, ‘…’. The text is checked against the kinds of the
//! fields before any row is read. Pure.

mod members;
mod parse;
mod pattern;
mod test;
mod token;

pub use parse::{Condition, parse};
