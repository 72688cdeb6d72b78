//! Formulas: conditions joined by AND, OR and NOT.
//!
//! A formula narrows a bitmap of rows. Each part is evaluated only for the rows that the earlier parts have not decided,
//! and each condition tests a distinct value once.

use std::ops::RangeInclusive;

use super::bitmap::Bitmap;
use super::literal::Literal;
use super::predicate::{Comparison, Predicate};
use crate::model::Day;
use crate::query::engine::column::Column;
use crate::query::{Deadline, QueryError};

/// A condition on a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub column: &'static str,
    pub predicate: Predicate,
}

/// A formula over conditions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Condition(Condition),
    Not(Box<Formula>),
    /// All of them hold.
    All(Vec<Formula>),
    /// At least one of them holds.
    Any(Vec<Formula>),
}

impl Condition {
    /// Two conditions that together select a day within the range.
    pub(crate) fn within(column: &'static str, days: &RangeInclusive<Day>) -> [Self; 2] {
        let condition = |comparison, day: &Day| {
            let predicate = Predicate::Compare(comparison, Literal::Day(day.as_number()));
            Self { column, predicate }
        };
        [condition(Comparison::Ge, days.start()), condition(Comparison::Le, days.end())]
    }
}

/// Columns by name, and the row of theirs that bit 0 belongs to.
pub(crate) struct FormulaRows<'a> {
    pub column: &'a dyn Fn(&str) -> Result<&'a Column, QueryError>,
    pub first: usize,
    pub deadline: &'a Deadline,
}

impl Formula {
    /// The formulas that all hold if this one holds.
    pub(crate) fn into_parts(self) -> Vec<Self> {
        match self {
            Self::All(parts) => parts,
            formula => vec![formula],
        }
    }

    /// Whether a condition is on this column.
    pub(crate) fn uses(&self, column: &str) -> bool {
        match self {
            Self::Condition(condition) => condition.column == column,
            Self::Not(inner) => inner.uses(column),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.uses(column)),
        }
    }

    /// Clears the bits of rows for which the formula does not hold.
    ///
    /// # Errors
    /// [`QueryError::Deadline`]; [`QueryError::Declaration`] for a name without a column.
    pub(crate) fn keep(&self, rows: &mut Bitmap, source: &FormulaRows<'_>) -> Result<(), QueryError> {
        let deadline = source.deadline;
        match self {
            Self::Condition(Condition { column, predicate }) => {
                predicate.keep(rows, (source.column)(column)?, source.first, deadline)
            }
            Self::Not(inner) => {
                let mut holding = rows.clone();
                inner.keep(&mut holding, source)?;
                rows.remove(&holding, deadline)
            }
            Self::All(parts) => keep_all(parts, rows, source),
            Self::Any(parts) => {
                // The rows for which no part holds so far.
                let mut open = rows.clone();
                for part in parts {
                    let mut holding = open.clone();
                    part.keep(&mut holding, source)?;
                    open.remove(&holding, deadline)?;
                }
                rows.remove(&open, deadline)
            }
        }
    }
}

/// Clears the bits of rows for which one of the formulas does not hold. Conditions on numbers come first, since they are
/// the cheapest, and formulas of several conditions last.
///
/// # Errors
/// As [`Formula::keep`].
pub(crate) fn keep_all(
    parts: &[Formula],
    rows: &mut Bitmap,
    source: &FormulaRows<'_>,
) -> Result<(), QueryError> {
    let cost = |part: &Formula| -> Result<(bool, Option<usize>), QueryError> {
        Ok(match part {
            Formula::Condition(condition) => (false, (source.column)(condition.column)?.dictionary_len()),
            _ => (true, None),
        })
    };
    let mut sorted =
        parts.iter().map(|part| Ok((cost(part)?, part))).collect::<Result<Vec<_>, QueryError>>()?;
    sorted.sort_by_key(|(cost, _)| *cost);
    sorted.into_iter().try_for_each(|(_, part)| part.keep(rows, source))
}
