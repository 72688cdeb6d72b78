//! Pages of rows: the rows of an answer that are shown. `query/json.rs` writes them as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::{Column, Encoding, Value};
use super::facet::Facet;

/// The rows of an answer to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub offset: usize,
    pub limit: usize,
}

/// The shown rows of an answer. Serializes as an array of objects.
#[derive(Debug)]
pub struct RowPage {
    pub(in crate::query) columns: Vec<(&'static str, Column)>,
    pub(in crate::query) rows: usize,
    /// The number of rows that match `where`, shown or not.
    pub count: usize,
    /// The most frequent values of the columns that the plan names.
    pub facets: Vec<Facet>,
}

/// The row numbers of a page: they start at `offset` + 1.
pub(in crate::query) fn row_numbers(offset: usize, rows: usize) -> Column {
    // The number of a shown row is below `u32::MAX`, since no table has more rows.
    let first = offset.saturating_add(1) as u32;
    Column::new((first..).take(rows).collect(), Encoding::Number)
}

impl RowPage {
    /// The number of shown rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in their order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter().map(|(_, column)| column)
    }

    /// The shown rows. Each serializes as an object.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|row| Row { page: self, row })
    }
}

impl Serialize for RowPage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A shown row. Serializes as an object.
#[derive(Debug)]
pub struct Row<'a> {
    page: &'a RowPage,
    row: usize,
}

impl Row<'_> {
    /// The cells, in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        self.page.columns.iter().map(|(_, column)| column.value(self.row))
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(Some(self.page.columns.len()))?;
        for (name, column) in &self.page.columns {
            cells.serialize_entry(name, &column.value(self.row))?;
        }
        cells.end()
    }
}
