//! Rows in CSV (RFC 4180) and as lines of JSON.

use std::fmt::Write as _;
use std::io::Write;

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::ApiError;
use super::negotiate::Format;
use crate::query::Value;

/// A row that can be shown in cells.
pub trait Cells: Serialize {
    /// The cells, in the order of the names.
    fn cells(&self) -> impl Iterator<Item = Value<'_>>;
}

/// Writes rows that all have the same columns.
pub enum RowWriter<W: Write> {
    Csv(Box<csv::Writer<W>>, String),
    Lines(W),
}

impl<W: Write> RowWriter<W> {
    /// Begins with the names, where the format has such a line. JSON is no sequence of rows and is written as lines.
    ///
    /// # Errors
    /// What the writer behind reports.
    pub fn new(format: Format, names: impl Iterator<Item = &'static str>, out: W) -> Result<Self, ApiError> {
        if format != Format::Csv {
            return Ok(Self::Lines(out));
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(names)?;
        Ok(Self::Csv(Box::new(writer), String::new()))
    }

    /// # Errors
    /// As [`Self::new`].
    pub fn write(&mut self, row: &impl Cells) -> Result<(), ApiError> {
        match self {
            Self::Csv(writer, text) => {
                for cell in row.cells() {
                    text.clear();
                    // A String takes everything.
                    let _ = write!(text, "{cell}");
                    writer.write_field(text.as_bytes())?;
                }
                writer.write_record(None::<&[u8]>)?;
            }
            Self::Lines(out) => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn finish(mut self) -> Result<(), ApiError> {
        match &mut self {
            Self::Csv(writer, _) => writer.flush()?,
            Self::Lines(out) => out.flush()?,
        }
        Ok(())
    }
}
