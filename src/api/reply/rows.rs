//! Row formats: CSV (RFC 4180), CSV for spreadsheets, JSON lines, and tables of typed columns.

use std::fmt::Write as _;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::columnar::{ColumnarWriter, ExportCell, TableLayout, TableSink};
use super::spreadsheet;
use crate::api::ApiError;
use crate::api::http::negotiation::Format;
use crate::query::{RowPage, Value};

/// A row that can be written as cells.
pub(crate) trait RowCells: Serialize {
    /// Returns the cells in the order of the column names.
    fn cells(&self) -> impl Iterator<Item = Value<'_>>;

    /// Returns the cells of a table, which may be lists.
    fn nested_cells(&self) -> impl Iterator<Item = ExportCell<'_>> {
        self.cells().map(ExportCell::Value)
    }
}

/// Writes rows with the same columns.
pub(crate) enum RowWriter<W: TableSink> {
    Csv(Box<CsvWriter<W>>),
    Lines(W),
    Table(Box<ColumnarWriter<W>>),
}

/// Writes rows as CSV.
pub(crate) struct CsvWriter<W: Write> {
    writer: csv::Writer<W>,
    /// Whether spreadsheets will read it.
    for_spreadsheet: bool,
    cell: String,
    truncated_cells: usize,
}

/// The result of writing all rows.
pub(crate) struct FinishedRows<W> {
    pub output: W,
    /// The number of cells that were longer than a spreadsheet allows, and were truncated.
    pub truncated_cells: usize,
}

impl<W: TableSink> RowWriter<W> {
    /// Starts with the names of the columns if the format has them. JSON is written as JSON lines.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub(crate) fn new(layout: &TableLayout, mut output: W) -> Result<Self, ApiError> {
        if layout.format.is_columnar() {
            return Ok(Self::Table(Box::new(ColumnarWriter::new(layout, output)?)));
        }
        if !layout.format.is_csv() {
            return Ok(Self::Lines(output));
        }
        let for_spreadsheet = layout.format == Format::Excel;
        if for_spreadsheet {
            output.write_all(spreadsheet::BYTE_ORDER_MARK)?;
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(output);
        writer.write_record(layout.columns.iter().map(|column| column.name))?;
        Ok(Self::Csv(Box::new(CsvWriter {
            writer,
            for_spreadsheet,
            cell: String::new(),
            truncated_cells: 0,
        })))
    }

    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn write(&mut self, row: &impl RowCells) -> Result<(), ApiError> {
        match self {
            Self::Csv(rows) => rows.write(row),
            Self::Lines(output) => {
                serde_json::to_writer(&mut *output, row)?;
                output.write_all(b"\n")?;
                Ok(())
            }
            Self::Table(table) => table.push(row.nested_cells()),
        }
    }

    /// Writes the rows of a page.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn write_page(&mut self, page: &RowPage) -> Result<(), ApiError> {
        match self {
            Self::Table(table) => table.push_page(page),
            _ => page.iter().try_for_each(|row| self.write(&row)),
        }
    }

    /// Writes the remaining bytes, and returns the inner writer.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn finish(self) -> Result<FinishedRows<W>, ApiError> {
        match self {
            Self::Csv(rows) => {
                let CsvWriter { writer, truncated_cells, .. } = *rows;
                let output = writer.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
                Ok(FinishedRows { output, truncated_cells })
            }
            Self::Lines(mut output) => {
                output.flush()?;
                Ok(FinishedRows { output, truncated_cells: 0 })
            }
            Self::Table(table) => Ok(FinishedRows { output: table.finish()?, truncated_cells: 0 }),
        }
    }
}

impl<W: Write> CsvWriter<W> {
    fn write(&mut self, row: &impl RowCells) -> Result<(), ApiError> {
        for value in row.cells() {
            self.cell.clear();
            match value {
                Value::Text(text) if self.for_spreadsheet => {
                    let is_complete = spreadsheet::push_text(text, &mut self.cell);
                    self.truncated_cells += usize::from(!is_complete);
                }
                value => {
                    // Writing to a String cannot fail.
                    let _ = write!(self.cell, "{value}");
                }
            }
            self.writer.write_field(self.cell.as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }
}
