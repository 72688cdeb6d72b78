//! Parquet files: row groups with statistics, compressed with zstd. The columns of a row group are encoded on several
//! threads.
//!
//! Dictionaries are part of the encoding and not of the types, so that a text is a text to every reader.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{FieldRef, SchemaRef};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use super::{TableLayout, TableSink};
use crate::api::ApiError;
use crate::query::parallel;

/// The fastest level: a client waits for the file.
const ZSTD_LEVEL: i32 = 1;
/// Bytes of a page and of a dictionary, of which each column holds one while it is encoded.
const PAGE_BYTES: usize = 512 << 10;

/// Writes a Parquet file.
pub(super) struct ParquetEncoder<W: TableSink> {
    file: SerializedFileWriter<W>,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    /// The writers of each column of the row group that has begun; none before its first batch. A list has several.
    row_group: Vec<Vec<ArrowColumnWriter>>,
    row_group_rows: usize,
    row_groups: usize,
    batches: usize,
    max_rows: usize,
    max_bytes: usize,
}

impl<W: TableSink> ParquetEncoder<W> {
    /// # Errors
    /// Those of the sink.
    pub(super) fn new(layout: &TableLayout, output: W) -> Result<Self, ApiError> {
        let schema = layout.schema();
        let mut description: Vec<KeyValue> =
            layout.description.iter().map(|(key, text)| KeyValue::new(key.clone(), text.clone())).collect();
        description.sort_by(|one, other| one.key.cmp(&other.key));
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_data_page_size_limit(PAGE_BYTES)
            .set_dictionary_page_size_limit(PAGE_BYTES)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(description))
            .build();
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let root = ArrowSchemaConverter::new().convert(&schema)?.root_schema_ptr();
        let file = SerializedFileWriter::new(output, root, Arc::new(properties))?;
        let schema: SchemaRef = Arc::new(schema);
        Ok(Self {
            factory: ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema)),
            file,
            schema,
            row_group: Vec::new(),
            row_group_rows: 0,
            row_groups: 0,
            batches: 0,
            max_rows: layout.row_group_rows,
            max_bytes: layout.row_group_bytes,
        })
    }

    /// Encodes a batch, and writes the row group when it is full. A table of one batch needs no reserved memory: it is
    /// no larger than a page of rows.
    ///
    /// # Errors
    /// As [`Self::new`], and those of the reservation.
    pub(super) fn write(&mut self, arrays: Vec<ArrayRef>) -> Result<(), ApiError> {
        if self.batches == 1 {
            // Pages and dictionaries in the making take as much again.
            self.file.inner_mut().reserve(self.max_bytes.saturating_mul(2))?;
        }
        self.batches += 1;
        if self.row_group.is_empty() {
            self.row_group = self.begin_row_group()?;
        }
        self.row_group_rows += arrays.first().map_or(0, |array| array.len());
        let fields = self.schema.fields().iter();
        let columns: Vec<_> = self.row_group.iter_mut().zip(fields.zip(arrays)).collect();
        parallel(|| {
            columns.into_par_iter().try_for_each(|(writers, (field, array))| encode(writers, field, &array))
        })?;
        let bytes: usize = self.row_group.iter().flatten().map(ArrowColumnWriter::memory_size).sum();
        if self.row_group_rows >= self.max_rows || bytes >= self.max_bytes {
            self.end_row_group()?;
        }
        Ok(())
    }

    /// Returns the writers of a new row group, by column.
    fn begin_row_group(&self) -> Result<Vec<Vec<ArrowColumnWriter>>, ApiError> {
        let mut writers = self.factory.create_column_writers(self.row_groups)?.into_iter();
        let leaves = |field: &FieldRef| match field.data_type() {
            arrow_schema::DataType::List(links) => match links.data_type() {
                arrow_schema::DataType::Struct(parts) => parts.len(),
                _ => 1,
            },
            _ => 1,
        };
        Ok(self.schema.fields().iter().map(|field| writers.by_ref().take(leaves(field)).collect()).collect())
    }

    fn end_row_group(&mut self) -> Result<(), ApiError> {
        let writers: Vec<ArrowColumnWriter> = self.row_group.drain(..).flatten().collect();
        let closed: Result<Vec<ArrowColumnChunk>, ParquetError> =
            parallel(|| writers.into_par_iter().map(ArrowColumnWriter::close).collect());
        let mut row_group = self.file.next_row_group()?;
        for chunk in closed? {
            chunk.append_to_row_group(&mut row_group)?;
        }
        row_group.close()?;
        self.row_groups += 1;
        self.row_group_rows = 0;
        Ok(())
    }

    /// Writes the row group that has begun, and the footer.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn finish(mut self) -> Result<W, ApiError> {
        if self.row_group_rows > 0 {
            self.end_row_group()?;
        }
        Ok(self.file.into_inner()?)
    }
}

fn encode(writers: &mut [ArrowColumnWriter], field: &FieldRef, array: &ArrayRef) -> Result<(), ParquetError> {
    let leaves = compute_leaves(field, array)?;
    writers.iter_mut().zip(leaves).try_for_each(|(writer, leaf)| writer.write(&leaf))
}
