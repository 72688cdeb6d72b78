//! A column of a table: one number per row, and an encoding that gives the numbers their values.
//!
//! Texts and addresses are dictionary-encoded: the dictionary holds each value once, and the cells hold
//! codes. So every cell is a number. Cells are stored at the narrowest width that holds all cells of the
//! column. Grouping, counting distinct values and most comparisons work on numbers alone.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::dictionary::{TextDictionary, TextDictionaryBuilder};
use crate::model::SearchRank;
use crate::query::deadline::CELLS_PER_CHECK;
use crate::query::{Deadline, QueryError};

/// The type of a column's values. Index files contain the names of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueType {
    Number,
    /// A number with two decimals, stored in hundredths.
    Hundredths,
    /// A number with four decimals, stored in ten thousandths.
    TenThousandths,
    /// `true` or `false`.
    Flag,
    /// A UTC day, stored as the number `yyyyMMdd` and shown as that text.
    Day,
    /// As [`Self::Day`], but shown as that number.
    DayNumber,
    Text,
    /// An IP address, or none.
    Address,
}

impl ValueType {
    /// Whether patterns apply to the values, as they are shown.
    pub fn is_text_like(self) -> bool {
        matches!(self, Self::Text | Self::Address | Self::Day | Self::DayNumber)
    }
}

/// The value of a cell, as answers show it. Values of one column are ordered: numbers by size, `false` before
/// `true`, texts by code point. An unknown address comes first, then IPv4 and IPv6 addresses, each by value.
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
    /// Whether the value is unknown: an empty text or no address.
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

/// Formats as in JSON, without quotes.
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

/// Writes hundredths as a number with at most two decimals. A whole number has none.
pub(crate) fn serialize_hundredths<S: Serializer>(hundredths: u32, serializer: S) -> Result<S::Ok, S::Error> {
    serialize_parts(hundredths, 100, serializer)
}

fn serialize_parts<S: Serializer>(parts: u32, whole: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if parts.is_multiple_of(whole) {
        serializer.serialize_u32(parts / whole)
    } else {
        serializer.serialize_f64(f64::from(parts) / f64::from(whole))
    }
}

/// The cells of a column, at the narrowest width that holds them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::query) enum Cells {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
    Words(Vec<u32>),
}

/// Runs the same code on cells of any width.
macro_rules! each_width {
    ($cells:expr, $slice:ident => $body:expr) => {
        match $cells {
            $crate::query::engine::column::Cells::Bytes($slice) => $body,
            $crate::query::engine::column::Cells::Halves($slice) => $body,
            $crate::query::engine::column::Cells::Words($slice) => $body,
        }
    };
}
pub(in crate::query) use each_width;

impl Cells {
    /// # Panics
    /// Never: the largest number decides the width, so every number fits.
    pub(crate) fn narrow(cells: Vec<u32>) -> Self {
        let largest = cells.iter().copied().max().unwrap_or(0);
        if u8::try_from(largest).is_ok() {
            Self::Bytes(cells.into_iter().map(|cell| cell as u8).collect())
        } else if u16::try_from(largest).is_ok() {
            Self::Halves(cells.into_iter().map(|cell| cell as u16).collect())
        } else {
            Self::Words(cells)
        }
    }

    pub(crate) fn len(&self) -> usize {
        each_width!(self, cells => cells.len())
    }

    pub(crate) fn get(&self, row: usize) -> u32 {
        match self {
            Self::Bytes(cells) => u32::from(cells[row]),
            Self::Halves(cells) => u32::from(cells[row]),
            Self::Words(cells) => cells[row],
        }
    }

    /// The cells of these rows, in this order.
    fn gather(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(match self {
            Self::Bytes(cells) => Self::Bytes(gathered(cells, rows, deadline)?),
            Self::Halves(cells) => Self::Halves(gathered(cells, rows, deadline)?),
            Self::Words(cells) => Self::Words(gathered(cells, rows, deadline)?),
        })
    }

    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        each_width!(self, cells => Box::new(cells.iter().map(|&cell| u32::from(cell))))
    }

    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    pub(crate) fn largest(&self) -> Option<u32> {
        each_width!(self, cells => cells.iter().max().map(|&cell| u32::from(cell)))
    }

    fn memory_bytes(&self) -> usize {
        each_width!(self, cells => size_of_val(cells.as_slice()))
    }
}

fn gathered<T: Copy>(cells: &[T], rows: &[u32], deadline: &Deadline) -> Result<Vec<T>, QueryError> {
    let mut picked = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CELLS_PER_CHECK) {
        deadline.check()?;
        picked.extend(rows.iter().map(|&row| cells[row as usize]));
    }
    Ok(picked)
}

/// How the cells of a column are decoded to values.
#[derive(Clone, Debug)]
pub(in crate::query) enum Encoding {
    Number,
    Hundredths,
    TenThousandths,
    Flag,
    Day,
    DayNumber,
    Texts(Arc<TextDictionary>),
    Addresses(Arc<Vec<Option<IpAddr>>>),
}

/// A column. Clones share the cells and the dictionary. Comparisons with literals are in `filter/predicate.rs`.
#[derive(Clone, Debug)]
pub struct Column {
    cells: Arc<Cells>,
    encoding: Encoding,
}

impl Column {
    pub(in crate::query) fn new(cells: Vec<u32>, encoding: Encoding) -> Self {
        Self::of(Cells::narrow(cells), encoding)
    }

    pub(in crate::query) fn of(cells: Cells, encoding: Encoding) -> Self {
        Self { cells: Arc::new(cells), encoding }
    }

    /// A column of texts.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn from_texts<'a>(
        texts: impl Iterator<Item = &'a str>,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let (mut builder, mut cells) =
            (TextDictionaryBuilder::default(), Vec::with_capacity(texts.size_hint().0));
        for (at, text) in texts.enumerate() {
            deadline.check_at(at)?;
            cells.push(builder.code(text));
        }
        Ok(Self::new(cells, Encoding::Texts(Arc::new(builder.finish()))))
    }

    pub fn value_type(&self) -> ValueType {
        match self.encoding {
            Encoding::Number => ValueType::Number,
            Encoding::Hundredths => ValueType::Hundredths,
            Encoding::TenThousandths => ValueType::TenThousandths,
            Encoding::Flag => ValueType::Flag,
            Encoding::Day => ValueType::Day,
            Encoding::DayNumber => ValueType::DayNumber,
            Encoding::Texts(_) => ValueType::Text,
            Encoding::Addresses(_) => ValueType::Address,
        }
    }

    pub(in crate::query) fn cells(&self) -> &Cells {
        &self.cells
    }

    pub(in crate::query) fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.cells.len()
    }

    /// The number or code of a row.
    pub fn cell(&self, row: usize) -> u32 {
        self.cells.get(row)
    }

    /// The size of the dictionary; `None` for a column without one. All cells are below it.
    pub fn dictionary_len(&self) -> Option<usize> {
        match &self.encoding {
            Encoding::Texts(texts) => Some(texts.len()),
            Encoding::Addresses(addresses) => Some(addresses.len()),
            _ => None,
        }
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> Value<'_> {
        self.decode(self.cells.get(row))
    }

    /// The value that a cell encodes.
    pub fn decode(&self, cell: u32) -> Value<'_> {
        match &self.encoding {
            Encoding::Number => Value::Number(cell),
            Encoding::Hundredths => Value::Hundredths(cell),
            Encoding::TenThousandths => Value::TenThousandths(cell),
            Encoding::Flag => Value::Flag(cell != 0),
            Encoding::Day => Value::Day(cell),
            Encoding::DayNumber => Value::DayNumber(cell),
            Encoding::Texts(texts) => Value::Text(texts.get(cell)),
            Encoding::Addresses(addresses) => Value::Address(addresses[cell as usize]),
        }
    }

    /// Compares two rows.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.cells.get(a), self.cells.get(b));
        if a == b { Ordering::Equal } else { self.decode(a).cmp(&self.decode(b)) }
    }

    /// A column with other cells and the same encoding.
    pub(in crate::query) fn with_cells(&self, cells: Vec<u32>) -> Self {
        Self::new(cells, self.encoding.clone())
    }

    /// The column of these rows, in this order. It shares the dictionary.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn pick(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        Ok(Self::of(self.cells.gather(rows, deadline)?, self.encoding.clone()))
    }

    /// As [`Self::pick`], but the dictionary of texts is reduced to those that the rows use, if it has more
    /// texts than there are rows.
    ///
    /// # Errors
    /// As [`Self::pick`].
    pub(in crate::query) fn pick_compact(
        &self,
        rows: &[u32],
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        match &self.encoding {
            Encoding::Texts(texts) if texts.len() > rows.len() => {
                Self::from_texts(rows.iter().map(|&row| texts.get(self.cells.get(row as usize))), deadline)
            }
            _ => self.pick(rows, deadline),
        }
    }

    /// The size in memory in bytes, including the dictionary.
    pub(in crate::query) fn memory_bytes(&self) -> usize {
        let dictionary = match &self.encoding {
            Encoding::Texts(texts) => texts.memory_bytes(),
            Encoding::Addresses(addresses) => addresses.len() * size_of::<Option<IpAddr>>(),
            _ => 0,
        };
        self.cells.memory_bytes() + dictionary
    }
}
