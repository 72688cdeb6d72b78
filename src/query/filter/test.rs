//! What a condition asks of a value.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::super::QueryError;
use super::super::column::{Column, Value};
use super::super::deadline::Deadline;
use super::pattern::Pattern;

/// A value that a condition names, of the kind of its field.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// For numbers, hundredths and ten thousandths.
    Number(f64),
    Flag(bool),
    /// `yyyyMMdd`.
    Day(u32),
    Text(String),
    /// `None` is the unknown address, written `''`.
    Address(Option<IpAddr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Compare(Comparison, Literal),
    In(Vec<Literal>),
    Like { pattern: Pattern, negated: bool },
}

impl Test {
    /// Asks that a flag is as given.
    pub fn is(flag: bool) -> Self {
        Self::Compare(Comparison::Eq, Literal::Flag(flag))
    }

    /// The rows of the column that pass, each by its number.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn passing(&self, column: &Column, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
        // A text is tested once, however many rows have it.
        let mut known: Vec<Option<bool>> = vec![None; column.codes().unwrap_or(0)];
        let mut rows = Vec::new();
        for (row, &cell) in column.cells().iter().enumerate() {
            deadline.check_at(row)?;
            let passes = match known.get_mut(cell as usize) {
                Some(known) => *known.get_or_insert_with(|| self.passes(column.meaning_of(cell))),
                None => self.passes(column.meaning_of(cell)),
            };
            if passes {
                rows.push(row as u32);
            }
        }
        Ok(rows)
    }

    fn passes(&self, value: Value<'_>) -> bool {
        match self {
            Self::Compare(comparison, literal) => comparison.holds(compare(value, literal)),
            Self::In(literals) => {
                literals.iter().any(|literal| compare(value, literal) == Some(Ordering::Equal))
            }
            Self::Like { pattern, negated } => match value {
                Value::Text(text) => pattern.matches(text) != *negated,
                Value::Address(address) => {
                    let text = address.map(|address| address.to_string()).unwrap_or_default();
                    pattern.matches(&text) != *negated
                }
                Value::Day(day) | Value::DayNumber(day) => pattern.matches(&format!("{day:08}")) != *negated,
                Value::Number(_) | Value::Hundredths(_) | Value::TenThousandths(_) | Value::Flag(_) => false,
            },
        }
    }
}

impl Comparison {
    /// Whether it holds for a value that stands so to the literal.
    fn holds(self, order: Option<Ordering>) -> bool {
        let Some(order) = order else { return false };
        match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
        }
    }
}

/// How the value stands to the literal; `None` for two that have nothing in common, which parsing rules out.
/// A quotient by 100 is the number nearest to the two decimals (and one by 10,000 to the four), which is what reading a literal gives as well.
fn compare(value: Value<'_>, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(value), Literal::Number(literal)) => f64::from(value).partial_cmp(literal),
        (Value::Hundredths(value), Literal::Number(literal)) => {
            (f64::from(value) / 100.0).partial_cmp(literal)
        }
        (Value::TenThousandths(value), Literal::Number(literal)) => {
            (f64::from(value) / 10_000.0).partial_cmp(literal)
        }
        (Value::Flag(value), Literal::Flag(literal)) => Some(value.cmp(literal)),
        (Value::Day(value) | Value::DayNumber(value), Literal::Day(literal)) => Some(value.cmp(literal)),
        (Value::Text(value), Literal::Text(literal)) => Some(value.cmp(literal.as_str())),
        (Value::Address(value), Literal::Address(literal)) => Some(value.cmp(literal)),
        _ => None,
    }
}
