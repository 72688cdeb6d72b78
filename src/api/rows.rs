//! Rows in CSV (RFC 4180), in the form of it that spreadsheets open as it is meant, and as lines of JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::ApiError;
use super::negotiate::Format;
use super::spreadsheet;
use crate::query::Value;

/// A row that can be shown in cells.
pub trait Cells: Serialize {
    /// The cells, in the order of the names.
    fn cells(&self) -> impl Iterator<Item = Value<'_>>;
}

/// Writes rows that all have the same columns.
pub enum RowWriter<W: Write> {
    Csv(Box<CsvRows<W>>),
    Lines(W),
}

/// Writes rows as CSV.
pub struct CsvRows<W: Write> {
    writer: csv::Writer<W>,
    /// Whether spreadsheets are to read it.
    excel: bool,
    cell: String,
    cut_cells: usize,
}

/// Rows that are written.
pub struct Written<W> {
    pub out: W,
    /// Cells that were longer than a spreadsheet takes, and were cut.
    pub cut_cells: usize,
}

impl<W: Write> RowWriter<W> {
    /// Begins with the names, where the format has such a line. JSON is no sequence of rows and is written as lines.
    ///
    /// # Errors
    /// What the writer behind reports.
    pub fn new(
        format: Format,
        names: impl Iterator<Item = &'static str>,
        mut out: W,
    ) -> Result<Self, ApiError> {
        if !format.is_csv() {
            return Ok(Self::Lines(out));
        }
        let excel = format == Format::Excel;
        if excel {
            out.write_all(spreadsheet::BYTE_ORDER_MARK)?;
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(names)?;
        Ok(Self::Csv(Box::new(CsvRows { writer, excel, cell: String::new(), cut_cells: 0 })))
    }

    /// # Errors
    /// As [`Self::new`].
    pub fn write(&mut self, row: &impl Cells) -> Result<(), ApiError> {
        match self {
            Self::Csv(rows) => rows.write(row),
            Self::Lines(out) => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")?;
                Ok(())
            }
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn finish(self) -> Result<Written<W>, ApiError> {
        match self {
            Self::Csv(rows) => {
                let CsvRows { writer, cut_cells, .. } = *rows;
                let out = writer.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
                Ok(Written { out, cut_cells })
            }
            Self::Lines(mut out) => {
                out.flush()?;
                Ok(Written { out, cut_cells: 0 })
            }
        }
    }
}

impl<W: Write> CsvRows<W> {
    fn write(&mut self, row: &impl Cells) -> Result<(), ApiError> {
        for value in row.cells() {
            self.cell.clear();
            match value {
                Value::Text(text) if self.excel => {
                    let is_whole = spreadsheet::push_text(text, &mut self.cell);
                    self.cut_cells += usize::from(!is_whole);
                }
                value => {
                    // A String takes everything.
                    let _ = write!(self.cell, "{value}");
                }
            }
            self.writer.write_field(self.cell.as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }
}
