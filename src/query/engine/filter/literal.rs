//! Literals: the values that a condition names.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::token::Word;
use crate::model::Day;
use crate::query::engine::column::{Value, ValueType};

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

/// The value that a message advises to write.
pub(super) fn expected_value(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths => {
            "a number without quotes, for example 10"
        }
        ValueType::Flag => "true or false",
        ValueType::Day | ValueType::DayNumber => "a day as yyyyMMdd, for example 20240229",
        ValueType::Text => "a text in single quotes, for example 'news'",
        ValueType::Address => "an IP address in single quotes, for example '192.0.2.1'",
    }
}

/// The word as a value of this type.
pub(super) fn read_literal(word: &Word, value_type: ValueType) -> Option<Literal> {
    match (value_type, word) {
        (ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths, Word::Plain(text)) => {
            number(text).map(Literal::Number)
        }
        (ValueType::Flag, Word::Plain(text)) if text.eq_ignore_ascii_case("true") => {
            Some(Literal::Flag(true))
        }
        (ValueType::Flag, Word::Plain(text)) if text.eq_ignore_ascii_case("false") => {
            Some(Literal::Flag(false))
        }
        (ValueType::Day | ValueType::DayNumber, Word::Plain(text) | Word::Quoted(text)) => {
            Day::parse(text).ok().map(|day| Literal::Day(day.as_number()))
        }
        (ValueType::Text, Word::Quoted(text)) => Some(Literal::Text(text.clone())),
        (ValueType::Address, Word::Quoted(text)) if text.is_empty() => Some(Literal::Address(None)),
        (ValueType::Address, Word::Quoted(text)) => {
            text.parse::<IpAddr>().ok().map(|address| Literal::Address(Some(address.to_canonical())))
        }
        _ => None,
    }
}

/// Parses numbers like `-12.5`: an optional sign, digits, and optionally a point and digits. Nothing else
/// that Rust accepts as a number is valid.
fn number(text: &str) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let fits = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    };
    if fits { text.parse().ok() } else { None }
}
