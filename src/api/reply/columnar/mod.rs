//! Columnar formats: Parquet files, and the stream format of Arrow (IPC).
//!
//! Input: rows as values, or pages of columns. Output: bytes for a [`TableSink`], batch by batch. A [`TableLayout`]
//! names the columns with their types, and describes the table to its readers.
//!
//! Invariants: a batch has [`BATCH_ROWS`] rows at most, and ends at [`BATCH_BYTES`]. An Arrow stream holds one batch, and a Parquet file also the
//! encoded row group that it has begun. A file that is not finished has no footer, so that no reader takes it for
//! whole.

mod arrow_stream;
mod cells;
mod layout;
mod parquet_file;

use std::io::{self, Write};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use rayon::prelude::*;

use self::arrow_stream::ArrowEncoder;
use self::cells::CellBuilder;
pub(crate) use self::cells::ExportCell;
pub(crate) use self::layout::{ColumnLayout, TableLayout};
use self::parquet_file::ParquetEncoder;
use crate::api::ApiError;
use crate::api::http::negotiation::Format;
use crate::query::{RowPage, parallel};

/// Rows of a batch. More rows would take more memory, and fewer more time for each.
const BATCH_ROWS: usize = 8_192;
/// Bytes of cells at which a batch ends. Only long texts and pages with many links are that large.
const BATCH_BYTES: usize = 8 << 20;
/// Rows of a page that are appended at once.
const STEP_ROWS: usize = 1_024;

/// Receives the bytes of a table.
pub(crate) trait TableSink: Write + Send {
    /// Reserves memory for what is encoded and not written yet, until the response ends.
    ///
    /// # Errors
    /// When too little memory is left.
    fn reserve(&mut self, bytes: usize) -> Result<(), ApiError>;
}

/// Writes rows as a table of typed columns.
pub(crate) struct ColumnarWriter<W: TableSink> {
    batch: Vec<CellBuilder>,
    batch_rows: usize,
    encoder: Encoder<W>,
}

enum Encoder<W: TableSink> {
    Parquet(Box<ParquetEncoder<W>>),
    Arrow(Box<ArrowEncoder<W>>),
}

impl<W: TableSink> ColumnarWriter<W> {
    /// # Errors
    /// Those of the sink.
    pub(crate) fn new(layout: &TableLayout, output: W) -> Result<Self, ApiError> {
        let batch = layout.columns.iter().map(CellBuilder::new).collect();
        let encoder = match layout.format {
            Format::Parquet => Encoder::Parquet(Box::new(ParquetEncoder::new(layout, output)?)),
            _ => Encoder::Arrow(Box::new(ArrowEncoder::new(layout, output)?)),
        };
        Ok(Self { batch, batch_rows: 0, encoder })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// As [`Self::new`]; [`ApiError::Internal`] for a cell of another type than its column.
    pub(crate) fn push<'c>(&mut self, cells: impl Iterator<Item = ExportCell<'c>>) -> Result<(), ApiError> {
        for (builder, cell) in self.batch.iter_mut().zip(cells) {
            builder.push(cell)?;
        }
        self.batch_rows += 1;
        self.write_full_batch()
    }

    /// Appends the rows of a page, column by column.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn push_page(&mut self, page: &RowPage) -> Result<(), ApiError> {
        let mut start = 0;
        while start < page.rows() {
            let rows = start..page.rows().min(start + STEP_ROWS.min(BATCH_ROWS - self.batch_rows));
            start = rows.end;
            self.batch_rows += rows.len();
            let columns: Vec<_> = page.columns().collect();
            let fill = |(builder, column): (&mut CellBuilder, _)| builder.extend(column, rows.clone());
            if rows.len() < STEP_ROWS {
                self.batch.iter_mut().zip(columns).try_for_each(fill)?;
            } else {
                let batch = &mut self.batch;
                parallel(|| batch.par_iter_mut().zip(columns).try_for_each(fill))?;
            }
            self.write_full_batch()?;
        }
        Ok(())
    }

    fn write_full_batch(&mut self) -> Result<(), ApiError> {
        let bytes = || self.batch.iter().map(CellBuilder::bytes).sum::<usize>();
        if self.batch_rows >= BATCH_ROWS || bytes() >= BATCH_BYTES { self.write_batch() } else { Ok(()) }
    }

    fn write_batch(&mut self) -> Result<(), ApiError> {
        let arrays = self.batch.iter_mut().map(CellBuilder::finish).collect::<Result<_, ArrowError>>()?;
        self.batch_rows = 0;
        match &mut self.encoder {
            Encoder::Parquet(encoder) => encoder.write(arrays),
            Encoder::Arrow(encoder) => encoder.write(arrays),
        }
    }

    /// Writes the remaining rows and the end of the table, and returns the sink.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn finish(mut self) -> Result<W, ApiError> {
        if self.batch_rows > 0 {
            self.write_batch()?;
        }
        match self.encoder {
            Encoder::Parquet(encoder) => encoder.finish(),
            Encoder::Arrow(encoder) => encoder.finish(),
        }
    }
}

impl From<ArrowError> for ApiError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::from(error),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<ParquetError> for ApiError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Self::from(*error),
                Err(error) => Self::Internal(error.to_string()),
            },
            error => Self::Internal(error.to_string()),
        }
    }
}
