//! The stream format of Arrow (IPC): the schema, and then batch after batch.
//!
//! Texts are plain: not all readers take a dictionary that changes within a stream. The coding of the response
//! compresses the stream, so that readers need no codec.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;

use super::{TableLayout, TableSink};
use crate::api::ApiError;

/// Writes an Arrow stream.
pub(super) struct ArrowEncoder<W: TableSink> {
    schema: SchemaRef,
    stream: StreamWriter<W>,
}

impl<W: TableSink> ArrowEncoder<W> {
    /// # Errors
    /// Those of the sink.
    pub(super) fn new(layout: &TableLayout, output: W) -> Result<Self, ApiError> {
        let schema = Arc::new(layout.schema());
        Ok(Self { stream: StreamWriter::try_new(output, &schema)?, schema })
    }

    /// # Errors
    /// As [`Self::new`].
    pub(super) fn write(&mut self, arrays: Vec<ArrayRef>) -> Result<(), ApiError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        Ok(self.stream.write(&batch)?)
    }

    /// # Errors
    /// As [`Self::new`].
    pub(super) fn finish(mut self) -> Result<W, ApiError> {
        self.stream.finish()?;
        Ok(self.stream.into_inner()?)
    }
}
