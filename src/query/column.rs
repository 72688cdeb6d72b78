//! One column of a table: a number per row, and what the number means.
//!
//! Texts and addresses are kept once, in a dictionary; their rows hold codes. So every cell is 32 bits wide,
//! and grouping, counting distinct values and most comparisons are work on numbers.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::dictionary::{Texts, TextsBuilder};
use crate::model::SearchRank;

/// What kind of value a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    /// A number with two decimals, held as hundredths.
    Hundredths,
    /// `true` or `false`.
    Flag,
    /// A UTC day, held as the number `yyyyMMdd` and shown as that text.
    Day,
    /// As [`Self::Day`], shown as that number.
    DayNumber,
    Text,
    /// An IP address, or none.
    Address,
}

/// One cell, as answers show it. Values of one column compare: numbers by size, `false` before `true`, texts by
/// code point, an unknown address before IPv4 before IPv6 addresses, these by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value<'a> {
    Number(u32),
    Hundredths(u32),
    Flag(bool),
    Day(u32),
    DayNumber(u32),
    Text(&'a str),
    Address(Option<IpAddr>),
}

impl From<SearchRank> for Value<'_> {
    fn from(rank: SearchRank) -> Self {
        Self::Hundredths(u32::from(rank.0))
    }
}

impl Value<'_> {
    /// Whether the value says that nothing is known.
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Address(None) | Self::Text(""))
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Number(number) | Self::DayNumber(number) => serializer.serialize_u32(number),
            Self::Hundredths(hundredths) => serialize_hundredths(hundredths, serializer),
            Self::Flag(flag) => serializer.serialize_bool(flag),
            Self::Day(day) => serializer.collect_str(&format_args!("{day:08}")),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Address(Some(address)) => serializer.collect_str(&address),
            Self::Address(None) => serializer.serialize_str(""),
        }
    }
}

/// As in JSON, without quotes.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Number(number) | Self::DayNumber(number) => write!(f, "{number}"),
            Self::Hundredths(hundredths) => write!(f, "{}", f64::from(hundredths) / 100.0),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Day(day) => write!(f, "{day:08}"),
            Self::Text(text) => f.write_str(text),
            Self::Address(Some(address)) => write!(f, "{address}"),
            Self::Address(None) => Ok(()),
        }
    }
}

/// Writes hundredths as a number with at most two decimals; a whole number has none.
pub fn serialize_hundredths<S: Serializer>(hundredths: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if hundredths.is_multiple_of(100) {
        serializer.serialize_u32(hundredths / 100)
    } else {
        serializer.serialize_f64(f64::from(hundredths) / 100.0)
    }
}

/// What the cells of a column mean.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Number,
    Hundredths,
    Flag,
    Day,
    DayNumber,
    Texts(Arc<Texts>),
    Addresses(Arc<Vec<Option<IpAddr>>>),
}

/// A column; cheap to clone.
#[derive(Clone, Debug)]
pub struct Column {
    cells: Arc<Vec<u32>>,
    meaning: Meaning,
}

impl Column {
    pub(super) fn new(cells: Vec<u32>, meaning: Meaning) -> Self {
        Self { cells: Arc::new(cells), meaning }
    }

    /// A column of texts.
    pub(super) fn of_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut builder = TextsBuilder::default();
        let cells = texts.map(|text| builder.code(text)).collect();
        Self::new(cells, Meaning::Texts(Arc::new(builder.finish())))
    }

    pub fn kind(&self) -> Kind {
        match self.meaning {
            Meaning::Number => Kind::Number,
            Meaning::Hundredths => Kind::Hundredths,
            Meaning::Flag => Kind::Flag,
            Meaning::Day => Kind::Day,
            Meaning::DayNumber => Kind::DayNumber,
            Meaning::Texts(_) => Kind::Text,
            Meaning::Addresses(_) => Kind::Address,
        }
    }

    /// The cells: numbers, or codes.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// How many distinct codes there can be; `None` for a column without a dictionary.
    pub fn codes(&self) -> Option<usize> {
        match &self.meaning {
            Meaning::Texts(texts) => Some(texts.len()),
            Meaning::Addresses(addresses) => Some(addresses.len()),
            _ => None,
        }
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> Value<'_> {
        self.meaning_of(self.cells[row])
    }

    /// The value that a cell of this column stands for.
    pub fn meaning_of(&self, cell: u32) -> Value<'_> {
        match &self.meaning {
            Meaning::Number => Value::Number(cell),
            Meaning::Hundredths => Value::Hundredths(cell),
            Meaning::Flag => Value::Flag(cell != 0),
            Meaning::Day => Value::Day(cell),
            Meaning::DayNumber => Value::DayNumber(cell),
            Meaning::Texts(texts) => Value::Text(texts.get(cell)),
            Meaning::Addresses(addresses) => Value::Address(addresses[cell as usize]),
        }
    }

    /// Compares two rows.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.cells[a], self.cells[b]);
        if a == b { Ordering::Equal } else { self.meaning_of(a).cmp(&self.meaning_of(b)) }
    }

    /// A column with other cells of the same meaning.
    pub(super) fn with_cells(&self, cells: Vec<u32>) -> Self {
        Self::new(cells, self.meaning.clone())
    }

    /// The column of the named rows alone, in that order.
    pub fn pick(&self, rows: &[u32]) -> Self {
        self.with_cells(rows.iter().map(|&row| self.cells[row as usize]).collect())
    }
}
