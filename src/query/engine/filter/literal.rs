//! Literals: the values that a condition names.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::query::engine::column::Value;

/// A value in a condition. It has the type of its field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// For numbers, hundredths and ten thousandths.
    Number(f64),
    Flag(bool),
    /// `yyyyMMdd`.
    Day(u32),
    Text(String),
    /// `None` is the unknown address, written `''`.
    Address(Option<IpAddr>),
}

impl Literal {
    /// The order of a value relative to this literal; `None` for different types, which the parser rules out. A
    /// quotient by 100 is the float nearest to the two decimals, and parsing a literal gives the same float.
    pub(super) fn order_of(&self, value: Value<'_>) -> Option<Ordering> {
        match (value, self) {
            (Value::Number(value), Self::Number(literal)) => f64::from(value).partial_cmp(literal),
            (Value::Hundredths(value), Self::Number(literal)) => {
                (f64::from(value) / 100.0).partial_cmp(literal)
            }
            (Value::TenThousandths(value), Self::Number(literal)) => {
                (f64::from(value) / 10_000.0).partial_cmp(literal)
            }
            (Value::Flag(value), Self::Flag(literal)) => Some(value.cmp(literal)),
            (Value::Day(value) | Value::DayNumber(value), Self::Day(literal)) => Some(value.cmp(literal)),
            (Value::Text(value), Self::Text(literal)) => Some(value.cmp(literal.as_str())),
            (Value::Address(value), Self::Address(literal)) => Some(value.cmp(literal)),
            _ => None,
        }
    }
}
