//! Exports: pieces with a token for the next as JSON, or rows in other formats.
//!
//! Without a limit, rows in CSV or JSON lines are the whole export: piece after piece, each read from a state of its
//! own, so that a reader who takes hours holds no state of the store. As with tokens, a row that is there throughout
//! stands in it exactly once.

use std::sync::Arc;

use serde::Serialize;

use super::lists::tell_of_cut_cells;
use super::negotiate::Format;
use super::outlet::Outlet;
use super::rows::{Cells, RowWriter};
use super::{ApiError, Call, beside};
use crate::query::cursor::Binding;
use crate::query::export::{Columns, ExportColumn, ExportRow, Piece, Shown, Source};
use crate::query::{ExportPage, Selection, Value};

/// Rows of a whole export that are read at once.
const PIECE_ROWS: usize = 1_024;

/// The answer of an export.
#[derive(Serialize)]
struct Reply<T> {
    next: Option<String>,
    response: T,
    count: usize,
    status: u16,
}

/// A piece of an export: read from the store, or out of a search index that lies at hand.
enum Part<R> {
    Stored(Piece<R>),
    Indexed(ExportPage),
}

impl<R> Part<R> {
    fn len(&self) -> usize {
        match self {
            Self::Stored(piece) => piece.rows.len(),
            Self::Indexed(piece) => piece.page.rows(),
        }
    }

    /// The key to read on after; `None` when nothing is left.
    fn next(&self) -> Option<&[u8]> {
        match self {
            Self::Stored(piece) => piece.next.as_deref(),
            Self::Indexed(piece) => piece.next.as_deref(),
        }
    }
}

impl<R: ExportRow> Cells for Shown<'_, R> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Shown::cells(self)
    }
}

/// The rows that are asked for.
struct Exporting<'a, R: 'static> {
    selection: Arc<Selection>,
    columns: Vec<&'static ExportColumn<R>>,
    token_key: [u8; 32],
    call: &'a Call<'a>,
}

impl Call<'_> {
    /// Writes the answer of an export.
    pub(super) fn export<R: ExportRow>(&self, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let selection = Arc::new(self.selection()?);
        let columns = self.params.fields(R::COLUMNS, |column| column.name)?;
        let asked = Exporting::<R> {
            selection,
            columns: columns.unwrap_or_else(|| R::COLUMNS.iter().collect()),
            token_key: self.state.store.token_key()?,
            call: self,
        };
        let limit = self.params.given_limit(&self.state.config)?;
        let after = asked.after()?;
        let first = |limit: usize| -> Result<Part<R>, ApiError> {
            let part = asked.piece(after.as_deref(), limit)?;
            if after.is_none() && part.len() == 0 && part.next().is_none() {
                self.explain_none(&asked.selection.scope, R::NAME)?;
            }
            Ok(part)
        };
        match (self.format, limit) {
            (Format::Json, limit) => {
                let limit = limit.map_or_else(|| self.params.limit(&self.state.config), Ok)?;
                let json = asked.json(&first(limit)?)?;
                outlet.json(json, true);
                Ok(())
            }
            (_, Some(limit)) => asked.rows(first(limit)?, true, outlet),
            (_, None) => asked.rows(first(PIECE_ROWS)?, false, outlet),
        }
    }
}

impl<R: ExportRow> Exporting<'_, R> {
    fn binding(&self) -> Binding<'_> {
        Binding { key: &self.token_key, endpoint: self.call.endpoint.name, scope: &self.selection.scope }
    }

    /// The key that the parameter `next` says to read on after; `None` without it.
    fn after(&self) -> Result<Option<Vec<u8>>, ApiError> {
        let Some(token) = self.call.params.single("next")? else { return Ok(None) };
        let position = self.binding().open(token)?;
        Ok((!position.is_empty()).then_some(position))
    }

    /// The token that `next` hands out after a piece.
    fn token(&self, part: &Part<R>) -> Result<Option<String>, ApiError> {
        Ok(part.next().map(|position| self.binding().seal(position)).transpose()?)
    }

    fn piece(&self, after: Option<&[u8]>, limit: usize) -> Result<Part<R>, ApiError> {
        let (state, deadline) = (self.call.state, self.call.deadline);
        if let Some(listing) = R::INDEXED {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
            let found = state.searches.export(&self.selection, listing, &names, (after, limit), deadline)?;
            if let Some(piece) = found {
                return Ok(Part::Indexed(piece));
            }
        }
        let source = Source {
            snapshot: &state.store.snapshot(),
            selection: &self.selection,
            suffixes: &state.suffixes,
            deadline,
        };
        Ok(Part::Stored(R::piece(&source, after, limit, &self.columns)?))
    }

    fn shown<'p>(piece: &'p Piece<R>, columns: &'p Columns<R>) -> impl Iterator<Item = Shown<'p, R>> {
        piece.rows.iter().map(move |row| Shown { row, columns })
    }

    fn json(&self, part: &Part<R>) -> Result<Vec<u8>, ApiError> {
        let (next, count, status) = (self.token(part)?, part.len(), 200);
        match part {
            Part::Stored(piece) => {
                let response: Vec<_> = Self::shown(piece, &self.columns).collect();
                self.call.json(&Reply { next, response, count, status }, &[])
            }
            Part::Indexed(piece) => {
                self.call.json_with_rows(&Reply { next, response: (), count, status }, &piece.page, &[])
            }
        }
    }

    /// Writes a piece as rows and, unless a limit cuts the export off there, all that follow. How many there will be
    /// is known only if that piece is all.
    fn rows(&self, mut part: Part<R>, cut: bool, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let count = (cut || part.next().is_none()).then_some(part.len());
        let next = if cut { self.token(&part)? } else { None };
        let warnings = self.call.warnings(&[]);
        let (format, endpoint) = (self.call.format, self.call.endpoint.name);
        outlet.begin(self.call.about(&[
            count.and_then(beside::count),
            beside::next(next.as_deref()),
            beside::warnings(&warnings),
            beside::attachment(format, endpoint, &self.selection.scope),
        ]));
        let names = self.columns.iter().map(|column| column.name);
        let mut writer = RowWriter::new(self.call.format, names, outlet)?;
        loop {
            match &part {
                Part::Stored(piece) => {
                    Self::shown(piece, &self.columns).try_for_each(|row| writer.write(&row))?;
                }
                Part::Indexed(piece) => piece.page.iter().try_for_each(|row| writer.write(&row))?,
            }
            match part.next() {
                Some(next) if !cut => part = self.piece(Some(next), PIECE_ROWS)?,
                _ => return tell_of_cut_cells(writer.finish()?, warnings),
            }
        }
    }
}
