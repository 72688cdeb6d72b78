//! Exports: all links into a scope, or all pages of a scope, in key order and in chunks.
//!
//! Between two calls an export keeps only the key of the last row. So each row that exists throughout is read
//! exactly once, whatever is stored meanwhile. Data that no requested column needs is not read.

mod backlinks;
pub mod cursor;
mod pages;

use std::net::IpAddr;

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use backlinks::BacklinkRow;
pub use pages::{PageLink, PageRow};

use crate::model::Day;
use crate::query::engine::column::{Value, ValueType};
use crate::query::{Listing, QueryError, Scan};
use crate::store::Keyed;

/// A chunk of an export: consecutive rows, read from the store.
#[derive(Debug)]
pub struct StoredChunk<R> {
    pub rows: Vec<R>,
    /// The key after which the export continues; `None` at its end.
    pub next: Option<Vec<u8>>,
}

/// A column of an export.
#[derive(Debug)]
pub struct ExportColumn<R: 'static> {
    pub name: &'static str,
    pub value_type: ValueType,
    /// The JSON object of the row that contains the column.
    pub within: Option<&'static str>,
    read: for<'a> fn(&'a R) -> Value<'a>,
}

/// The columns to show.
pub type Columns<R> = [&'static ExportColumn<R>];

/// A row of an export.
pub trait ExportRow: Sized + 'static {
    /// The name of the rows, in the plural.
    const NAME: &'static str;

    /// All columns, in their default order.
    const COLUMNS: &'static [ExportColumn<Self>];

    /// A listing of the same columns, if an index can answer the export.
    const INDEXED: Option<&'static Listing> = None;

    /// At most `limit` rows, strictly after the key `after`, with the data that the columns need.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    fn read_chunk(
        scan: &Scan<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<StoredChunk<Self>, QueryError>;

    /// The keys of the links that JSON shows instead of a column's cell.
    fn link_keys(_column: &str) -> Option<&'static [(&'static str, ValueType)]> {
        None
    }

    /// The links that JSON shows instead of a column's cell.
    fn nested(&self, _column: &str) -> Option<&[PageLink]> {
        None
    }
}

/// Selected columns of a row. Serializes as an object.
pub struct Shown<'a, R: 'static> {
    pub row: &'a R,
    pub columns: &'a Columns<R>,
}

/// Takes the first `limit` rows, and checks whether there is one more.
fn take_chunk<S, T>(
    mut rows: impl Iterator<Item = Result<Keyed<S>, QueryError>>,
    after: Option<&[u8]>,
    limit: usize,
    mut make: impl FnMut(S) -> Result<T, QueryError>,
) -> Result<StoredChunk<T>, QueryError> {
    let mut position = after.unwrap_or_default().to_vec();
    let mut made = Vec::new();
    while made.len() < limit {
        let Some(row) = rows.next().transpose()? else {
            return Ok(StoredChunk { rows: made, next: None });
        };
        made.push(make(row.value)?);
        position = row.key;
    }
    let more = rows.next().transpose()?.is_some();
    Ok(StoredChunk { rows: made, next: more.then_some(position) })
}

impl<R: ExportRow> Shown<'_, R> {
    /// The cells in the order of the columns. Links are shown as their number.
    pub fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        self.columns.iter().map(|column| (column.read)(self.row))
    }

    /// The cells in the order of the columns, with the links where JSON shows them.
    pub fn nested_cells(&self) -> impl Iterator<Item = Result<Value<'_>, &[PageLink]>> {
        self.columns.iter().map(|column| match self.row.nested(column.name) {
            Some(links) => Err(links),
            None => Ok((column.read)(self.row)),
        })
    }
}

impl<R: ExportRow> Serialize for Shown<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(None)?;
        for (at, column) in self.columns.iter().enumerate() {
            match (column.within, self.row.nested(column.name)) {
                (Some(object), _) => {
                    // A nested object is written at the position of its first column.
                    if self.columns[..at].iter().all(|earlier| earlier.within != Some(object)) {
                        cells.serialize_entry(object, &Within { shown: self, object })?;
                    }
                }
                (None, Some(links)) => cells.serialize_entry(column.name, links)?,
                (None, None) => cells.serialize_entry(column.name, &(column.read)(self.row))?,
            }
        }
        cells.end()
    }
}

/// The columns of a nested object.
struct Within<'a, R: 'static> {
    shown: &'a Shown<'a, R>,
    object: &'static str,
}

impl<R: ExportRow> Serialize for Within<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.shown.columns.iter().filter(|column| column.within == Some(self.object));
        serializer.collect_map(columns.map(|column| (column.name, (column.read)(self.shown.row))))
    }
}

const fn column<R>(
    name: &'static str,
    value_type: ValueType,
    read: for<'a> fn(&'a R) -> Value<'a>,
) -> ExportColumn<R> {
    ExportColumn { name, value_type, within: None, read }
}

fn has<R>(columns: &Columns<R>, name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

fn day(day: Day) -> Value<'static> {
    Value::Day(day.as_number())
}

fn address(address: Option<IpAddr>) -> Value<'static> {
    Value::Address(address.map(|address| address.to_canonical()))
}
