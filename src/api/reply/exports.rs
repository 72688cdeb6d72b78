//! Exports: chunks with a token for the next one as JSON, or rows in other formats.
//!
//! Without a limit, CSV and JSON lines contain the whole export. It is read chunk by chunk, each from a snapshot of its
//! own, so that a reader who takes hours keeps no snapshot open. As with tokens, a row that exists throughout appears
//! exactly once.

use std::sync::Arc;

use serde::Serialize;

use super::columnar::{ColumnLayout, ExportCell, TableLayout};
use super::headers;
use super::lists::warn_about_truncated_cells;
use super::provenance::{JsonReply, Provenance};
use super::rows::{RowCells, RowWriter};
use crate::api::http::body_writer::BodyWriter;
use crate::api::http::negotiation::Format;
use crate::api::{ApiError, RequestContext};
use crate::query::cursor::Binding;
use crate::query::export::{Columns, ExportColumn, ExportRow, Shown, StoredChunk};
use crate::query::{IndexState, IndexedChunk, Scan, Selection, Value};

/// A whole export is read in chunks of this many rows.
const CHUNK_ROWS: usize = 1_024;
/// The rows of a chunk that is written as a table, if an index may have it: enough for all threads.
const TABLE_CHUNK_ROWS: usize = 16_384;

/// The JSON reply of an export.
#[derive(Serialize)]
struct ExportReply<T> {
    next: Option<String>,
    response: T,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'static str>,
    status: u16,
}

/// Consecutive rows of an export: read from the store, or from a search index that is in memory.
enum ExportChunk<R> {
    Stored(StoredChunk<R>, IndexState),
    Indexed(IndexedChunk),
}

impl<R> ExportChunk<R> {
    fn len(&self) -> usize {
        match self {
            Self::Stored(chunk, _) => chunk.rows.len(),
            Self::Indexed(chunk) => chunk.page.rows(),
        }
    }

    /// Returns the key after which the next chunk starts; `None` after the last chunk.
    fn next_position(&self) -> Option<&[u8]> {
        match self {
            Self::Stored(chunk, _) => chunk.next.as_deref(),
            Self::Indexed(chunk) => chunk.next.as_deref(),
        }
    }

    /// Returns the state that the rows are of.
    fn state(&self) -> Option<IndexState> {
        match self {
            Self::Stored(_, state) => Some(*state),
            Self::Indexed(piece) => piece.state,
        }
    }
}

impl<R: ExportRow> RowCells for Shown<'_, R> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Shown::cells(self)
    }

    fn nested_cells(&self) -> impl Iterator<Item = ExportCell<'_>> {
        Shown::nested_cells(self).map(|cell| match cell {
            Ok(value) => ExportCell::Value(value),
            Err(links) => ExportCell::Links(links),
        })
    }
}

/// An export in progress.
struct Export<'a, R: 'static> {
    selection: Arc<Selection>,
    columns: Vec<&'static ExportColumn<R>>,
    token_key: [u8; 32],
    context: &'a RequestContext<'a>,
}

impl RequestContext<'_> {
    /// Writes the reply of an export.
    pub(in crate::api) fn write_export<R: ExportRow>(
        &self,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        let selection = Arc::new(self.selection()?);
        let columns = self.params.fields(R::COLUMNS, |column| column.name)?;
        let export = Export::<R> {
            selection,
            columns: columns.unwrap_or_else(|| R::COLUMNS.iter().collect()),
            token_key: self.state.store.token_key()?,
            context: self,
        };
        let limit = self.params.explicit_limit(&self.state.config)?;
        let position = export.start_position()?;
        let first_chunk =
            |limit: usize, is_limited: bool| -> Result<(ExportChunk<R>, Provenance), ApiError> {
                let chunk = export.read_chunk(position.as_deref(), limit)?;
                // An export of several chunks may show several states.
                let is_whole = is_limited || chunk.next_position().is_none();
                let state = chunk.state().filter(|_| is_whole);
                let mut provenance = state.map_or_else(Provenance::current, Provenance::of_state);
                if position.is_none() && chunk.len() == 0 && chunk.next_position().is_none() {
                    provenance = self.explain_no_rows(&export.selection.scope, R::NAME, provenance)?;
                }
                Ok((chunk, provenance))
            };
        match (self.format, limit) {
            (Format::Json, limit) => {
                let limit = limit.map_or_else(|| self.params.limit(&self.state.config), Ok)?;
                let (chunk, provenance) = first_chunk(limit, true)?;
                writer.set_json(export.render_json(&chunk, &provenance)?, true);
                Ok(())
            }
            (_, Some(limit)) => export.write_rows(first_chunk(limit, true)?, true, writer),
            (_, None) => export.write_rows(first_chunk(export.chunk_rows(), false)?, false, writer),
        }
    }
}

impl<R: ExportRow> Export<'_, R> {
    fn binding(&self) -> Binding<'_> {
        let endpoint = self.context.endpoint.name;
        Binding { key: &self.token_key, endpoint, scope: &self.selection.scope }
    }

    /// The rows of a chunk of a whole export. Rows with lists are few at a time.
    fn chunk_rows(&self) -> usize {
        let is_table = self.context.format.is_columnar() && R::INDEXED.is_some();
        if is_table { TABLE_CHUNK_ROWS } else { CHUNK_ROWS }
    }

    /// Returns the key that the parameter `next` continues after; `None` at the start of the export.
    fn start_position(&self) -> Result<Option<Vec<u8>>, ApiError> {
        let Some(token) = self.context.params.single("next")? else { return Ok(None) };
        let position =
            self.binding().open(token).map_err(|error| ApiError::from(error).about_value(token))?;
        Ok((!position.is_empty()).then_some(position))
    }

    /// Returns the token that continues after a chunk.
    fn next_token(&self, chunk: &ExportChunk<R>) -> Result<Option<String>, ApiError> {
        Ok(chunk.next_position().map(|position| self.binding().seal(position)).transpose()?)
    }

    fn read_chunk(&self, after: Option<&[u8]>, limit: usize) -> Result<ExportChunk<R>, ApiError> {
        let (state, deadline) = (self.context.state, self.context.deadline);
        if let Some(listing) = R::INDEXED {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
            let found = state.searches.export(&self.selection, listing, &names, (after, limit), deadline)?;
            if let Some(chunk) = found {
                return Ok(ExportChunk::Indexed(chunk));
            }
        }
        let present = state.searches.present()?;
        let scan = Scan {
            snapshot: &present.snapshot,
            selection: &self.selection,
            suffixes: &state.suffixes,
            deadline,
        };
        Ok(ExportChunk::Stored(R::read_chunk(&scan, after, limit, &self.columns)?, present.state))
    }

    fn shown<'p>(chunk: &'p StoredChunk<R>, columns: &'p Columns<R>) -> impl Iterator<Item = Shown<'p, R>> {
        chunk.rows.iter().map(move |row| Shown { row, columns })
    }

    fn render_json(&self, chunk: &ExportChunk<R>, provenance: &Provenance) -> Result<JsonReply, ApiError> {
        let (next, count, status) = (self.next_token(chunk)?, chunk.len(), 200);
        let known = provenance.known();
        match chunk {
            ExportChunk::Stored(chunk, _) => {
                let response: Vec<_> = Self::shown(chunk, &self.columns).collect();
                self.context.render_json(
                    &ExportReply { next, response, count, known, status },
                    &[],
                    provenance,
                )
            }
            ExportChunk::Indexed(chunk) => {
                let reply = ExportReply { next, response: (), count, known, status };
                self.context.render_json_with_rows(&reply, &chunk.page, &[], provenance)
            }
        }
    }

    /// The layout of the export as a table.
    fn layout(&self, provenance: &Provenance, warnings: &[String]) -> TableLayout {
        let columns = self.columns.iter().map(|column| ColumnLayout {
            name: column.name,
            value_type: column.value_type,
            links: R::link_keys(column.name),
        });
        self.context.table_layout(columns.collect(), (provenance.state(), None), warnings)
    }

    /// Writes a chunk as rows and, unless `is_limited`, all chunks that follow. The number of rows is known only if
    /// there is one chunk.
    fn write_rows(
        &self,
        (mut chunk, provenance): (ExportChunk<R>, Provenance),
        is_limited: bool,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        let count = (is_limited || chunk.next_position().is_none()).then_some(chunk.len());
        let next = if is_limited { self.next_token(&chunk)? } else { None };
        let warnings = self.context.warnings(&[], &provenance);
        let (format, endpoint) = (self.context.format, self.context.endpoint.name);
        let meta = self.context.response_meta(&[
            count.and_then(headers::total_count),
            headers::next_token(next.as_deref()),
            headers::warnings(&warnings),
            headers::content_disposition(format, endpoint, self.selection.scope.host()),
        ]);
        writer.set_meta(meta, &provenance);
        let mut rows = RowWriter::new(&self.layout(&provenance, &warnings), writer)?;
        loop {
            match &chunk {
                ExportChunk::Stored(chunk, _) => {
                    Self::shown(chunk, &self.columns).try_for_each(|row| rows.write(&row))?;
                }
                ExportChunk::Indexed(chunk) => rows.write_page(&chunk.page)?,
            }
            match chunk.next_position() {
                Some(position) if !is_limited => {
                    chunk = self.read_chunk(Some(position), self.chunk_rows())?;
                }
                _ => return warn_about_truncated_cells(rows.finish()?, warnings),
            }
        }
    }
}
