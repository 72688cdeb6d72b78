//! The rows of an answer that are shown.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::{Column, Meaning, Value};

/// Which rows of the answer to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub offset: usize,
    pub limit: usize,
}

/// The rows of an answer that are shown. Serialises as an array of objects.
#[derive(Debug)]
pub struct Page {
    pub(super) columns: Vec<(&'static str, Column)>,
    pub(super) rows: usize,
    /// How many rows passed `where`, shown or not.
    pub count: usize,
}

/// The numbers of rows from `offset` on, counted from 1.
pub(super) fn row_numbers(offset: usize, rows: usize) -> Column {
    // A row that is shown has a number below `u32::MAX`, since tables have no more rows.
    let first = offset.saturating_add(1) as u32;
    Column::new((first..).take(rows).collect(), Meaning::Number)
}

impl Page {
    /// How many rows are shown.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The shown rows, each of which serialises as an object.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|row| Row { page: self, row })
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A shown row. Serialises as an object.
#[derive(Debug)]
pub struct Row<'a> {
    page: &'a Page,
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
