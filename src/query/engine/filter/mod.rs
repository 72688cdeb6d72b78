//! `where`: conditions on the rows of an answer.
//!
//! ```text
//! where     = condition *( "AND" condition )
//! condition = field ( "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "like" | "notlike" ) value
//!           | field "in" "(" value *( "," value ) ")"
//! value     = number | "true" | "false" | "'" text "'"
//! ```
//!
//! Field names are case-sensitive. Operators, `AND`, `true` and `false` may be written in any case. Within a
//! text a quote is doubled. Typographic quotes, ‘…’, work as well. The text is checked against the types of
//! the fields before any row is read. Pure.

pub(crate) mod bitmap;
mod literal;
mod parse;
mod pattern;
mod predicate;
mod token;
mod value_set;

pub(crate) use parse::{Condition, parse};
