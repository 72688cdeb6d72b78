//! One column of a table: a number per row, and what the number means.
//!
//! Texts and addresses are kept once, in a dictionary; their rows hold codes. So every cell is a number, stored
//! at the narrowest width that holds all of its column, and grouping, counting distinct values and most
//! comparisons are work on numbers.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::deadline::CELLS_A_LOOK;
use super::dictionary::{Texts, TextsBuilder};
use super::{Deadline, QueryError};
use crate::model::SearchRank;

/// What kind of value a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    /// A number with two decimals, held as hundredths.
    Hundredths,
    /// A number with four decimals, held as ten thousandths.
    TenThousandths,
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
    TenThousandths(u32),
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
            Self::TenThousandths(parts) => serialize_parts(parts, 10_000, serializer),
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
            Self::TenThousandths(parts) => write!(f, "{}", f64::from(parts) / 10_000.0),
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
    serialize_parts(hundredths, 100, serializer)
}

fn serialize_parts<S: Serializer>(parts: u32, whole: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if parts.is_multiple_of(whole) {
        serializer.serialize_u32(parts / whole)
    } else {
        serializer.serialize_f64(f64::from(parts) / f64::from(whole))
    }
}

/// The cells of a column, at the narrowest width that holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
    Words(Vec<u32>),
}

/// Runs the same code over cells of any width.
macro_rules! each_width {
    ($cells:expr, $slice:ident => $body:expr) => {
        match $cells {
            $crate::query::column::Cells::Bytes($slice) => $body,
            $crate::query::column::Cells::Halves($slice) => $body,
            $crate::query::column::Cells::Words($slice) => $body,
        }
    };
}
pub(super) use each_width;

impl Cells {
    /// # Panics
    /// Never: every number fits the width chosen for the largest.
    pub fn narrow(cells: Vec<u32>) -> Self {
        let largest = cells.iter().copied().max().unwrap_or(0);
        if largest <= u32::from(u8::MAX) {
            Self::Bytes(cells.into_iter().map(|cell| cell as u8).collect())
        } else if largest <= u32::from(u16::MAX) {
            Self::Halves(cells.into_iter().map(|cell| cell as u16).collect())
        } else {
            Self::Words(cells)
        }
    }

    pub fn len(&self) -> usize {
        each_width!(self, cells => cells.len())
    }

    pub fn get(&self, row: usize) -> u32 {
        match self {
            Self::Bytes(cells) => u32::from(cells[row]),
            Self::Halves(cells) => u32::from(cells[row]),
            Self::Words(cells) => cells[row],
        }
    }

    /// The cells of the rows named, in that order.
    fn gather(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(match self {
            Self::Bytes(cells) => Self::Bytes(gathered(cells, rows, deadline)?),
            Self::Halves(cells) => Self::Halves(gathered(cells, rows, deadline)?),
            Self::Words(cells) => Self::Words(gathered(cells, rows, deadline)?),
        })
    }

    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    pub fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        each_width!(self, cells => Box::new(cells.iter().map(|&cell| u32::from(cell))))
    }

    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    pub fn largest(&self) -> Option<u32> {
        each_width!(self, cells => cells.iter().max().map(|&cell| u32::from(cell)))
    }

    fn bytes(&self) -> usize {
        each_width!(self, cells => std::mem::size_of_val(cells.as_slice()))
    }
}

fn gathered<T: Copy>(cells: &[T], rows: &[u32], deadline: &Deadline) -> Result<Vec<T>, QueryError> {
    let mut picked = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CELLS_A_LOOK) {
        deadline.check()?;
        picked.extend(rows.iter().map(|&row| cells[row as usize]));
    }
    Ok(picked)
}

/// What the cells of a column mean.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Number,
    Hundredths,
    TenThousandths,
    Flag,
    Day,
    DayNumber,
    Texts(Arc<Texts>),
    Addresses(Arc<Vec<Option<IpAddr>>>),
}

/// A column; cheap to clone.
#[derive(Clone, Debug)]
pub struct Column {
    cells: Arc<Cells>,
    meaning: Meaning,
}

impl Column {
    pub(super) fn new(cells: Vec<u32>, meaning: Meaning) -> Self {
        Self::of(Cells::narrow(cells), meaning)
    }

    pub(super) fn of(cells: Cells, meaning: Meaning) -> Self {
        Self { cells: Arc::new(cells), meaning }
    }

    /// A column of texts.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(super) fn of_texts<'a>(
        texts: impl Iterator<Item = &'a str>,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let (mut builder, mut cells) = (TextsBuilder::default(), Vec::with_capacity(texts.size_hint().0));
        for (at, text) in texts.enumerate() {
            deadline.check_at(at)?;
            cells.push(builder.code(text));
        }
        Ok(Self::new(cells, Meaning::Texts(Arc::new(builder.finish()))))
    }

    pub fn kind(&self) -> Kind {
        match self.meaning {
            Meaning::Number => Kind::Number,
            Meaning::Hundredths => Kind::Hundredths,
            Meaning::TenThousandths => Kind::TenThousandths,
            Meaning::Flag => Kind::Flag,
            Meaning::Day => Kind::Day,
            Meaning::DayNumber => Kind::DayNumber,
            Meaning::Texts(_) => Kind::Text,
            Meaning::Addresses(_) => Kind::Address,
        }
    }

    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    pub(super) fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.cells.len()
    }

    /// The number or code of a row.
    pub fn cell(&self, row: usize) -> u32 {
        self.cells.get(row)
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
        self.meaning_of(self.cells.get(row))
    }

    /// The value that a cell of this column stands for.
    pub fn meaning_of(&self, cell: u32) -> Value<'_> {
        match &self.meaning {
            Meaning::Number => Value::Number(cell),
            Meaning::Hundredths => Value::Hundredths(cell),
            Meaning::TenThousandths => Value::TenThousandths(cell),
            Meaning::Flag => Value::Flag(cell != 0),
            Meaning::Day => Value::Day(cell),
            Meaning::DayNumber => Value::DayNumber(cell),
            Meaning::Texts(texts) => Value::Text(texts.get(cell)),
            Meaning::Addresses(addresses) => Value::Address(addresses[cell as usize]),
        }
    }

    /// Compares two rows.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.cells.get(a), self.cells.get(b));
        if a == b { Ordering::Equal } else { self.meaning_of(a).cmp(&self.meaning_of(b)) }
    }

    /// A column with other cells of the same meaning.
    pub(super) fn with_cells(&self, cells: Vec<u32>) -> Self {
        Self::new(cells, self.meaning.clone())
    }

    /// The column of the named rows alone, in that order.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(super) fn pick(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(Self::of(self.cells.gather(rows, deadline)?, self.meaning.clone()))
    }

    /// As [`Self::pick`], with a dictionary of what these rows need and no more.
    ///
    /// # Errors
    /// As [`Self::pick`].
    pub(super) fn pick_apart(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        match &self.meaning {
            Meaning::Texts(texts) if texts.len() > rows.len() => {
                Self::of_texts(rows.iter().map(|&row| texts.get(self.cells.get(row as usize))), deadline)
            }
            _ => self.pick(rows, deadline),
        }
    }

    /// Bytes of memory, the dictionary included.
    pub(super) fn bytes(&self) -> usize {
        let dictionary = match &self.meaning {
            Meaning::Texts(texts) => texts.bytes(),
            Meaning::Addresses(addresses) => addresses.len() * size_of::<Option<IpAddr>>(),
            _ => 0,
        };
        self.cells.bytes() + dictionary
    }
}
