//! Exports: pieces with a token for the next as JSON, or rows in other formats.
//!
//! Without a limit, rows in CSV or JSON lines are the whole export: piece after piece, each read from a state of its
//! own, so that a reader who takes hours holds no state of the store. As with tokens, a row that is there throughout
//! stands in it exactly once.

use serde::Serialize;

use super::negotiate::Format;
use super::outlet::Outlet;
use super::rows::{Cells, RowWriter};
use super::{ApiError, Call, beside};
use crate::query::cursor::Binding;
use crate::query::export::{Columns, ExportColumn, ExportRow, Piece, Shown, Source};
use crate::query::{Selection, Value};

/// Rows of a whole export that are read at once.
const PIECE_ROWS: usize = 1_024;

/// The answer of an export.
#[derive(Serialize)]
struct Reply<T> {
    next: Option<String>,
    response: Vec<T>,
    count: usize,
    status: u16,
}

impl<R: ExportRow> Cells for Shown<'_, R> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Shown::cells(self)
    }
}

/// The rows that are asked for.
struct Exporting<'a, R: 'static> {
    selection: Selection,
    columns: Vec<&'static ExportColumn<R>>,
    token_key: [u8; 32],
    call: &'a Call<'a>,
}

impl Call<'_> {
    /// Writes the answer of an export.
    pub(super) fn export<R: ExportRow>(&self, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let selection = self.selection()?;
        let columns = self.params.fields(R::COLUMNS, |column| column.name)?;
        let asked = Exporting::<R> {
            selection,
            columns: columns.unwrap_or_else(|| R::COLUMNS.iter().collect()),
            token_key: self.state.store.token_key()?,
            call: self,
        };
        let limit = self.params.given_limit(&self.state.config)?;
        let after = asked.after()?;
        match (self.format, limit) {
            (Format::Json, limit) => {
                let limit = limit.map_or_else(|| self.params.limit(&self.state.config), Ok)?;
                let json = asked.json(&asked.piece(after.as_deref(), limit)?)?;
                outlet.json(json, true);
                Ok(())
            }
            (_, Some(limit)) => asked.rows(asked.piece(after.as_deref(), limit)?, true, outlet),
            (_, None) => asked.rows(asked.piece(after.as_deref(), PIECE_ROWS)?, false, outlet),
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
    fn token(&self, piece: &Piece<R>) -> Result<Option<String>, ApiError> {
        Ok(piece.next.as_deref().map(|position| self.binding().seal(position)).transpose()?)
    }

    fn piece(&self, after: Option<&[u8]>, limit: usize) -> Result<Piece<R>, ApiError> {
        let source = Source {
            snapshot: &self.call.state.store.snapshot(),
            selection: &self.selection,
            suffixes: &self.call.state.suffixes,
            deadline: self.call.deadline,
        };
        Ok(R::piece(&source, after, limit, &self.columns)?)
    }

    fn shown<'p>(piece: &'p Piece<R>, columns: &'p Columns<R>) -> impl Iterator<Item = Shown<'p, R>> {
        piece.rows.iter().map(move |row| Shown { row, columns })
    }

    fn json(&self, piece: &Piece<R>) -> Result<Vec<u8>, ApiError> {
        let reply = Reply {
            next: self.token(piece)?,
            response: Self::shown(piece, &self.columns).collect(),
            count: piece.rows.len(),
            status: 200,
        };
        self.call.json(&reply, &[])
    }

    /// Writes a piece as rows and, unless a limit cuts the export off there, all that follow. How many there will be
    /// is known only if that piece is all.
    fn rows(&self, mut piece: Piece<R>, cut: bool, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let count = (cut || piece.next.is_none()).then_some(piece.rows.len());
        let next = if cut { self.token(&piece)? } else { None };
        outlet.begin(self.call.about(&[
            count.and_then(beside::count),
            beside::next(next.as_deref()),
            beside::warnings(&self.call.warnings(&[])),
        ]));
        let names = self.columns.iter().map(|column| column.name);
        let mut writer = RowWriter::new(self.call.format, names, outlet)?;
        loop {
            for row in Self::shown(&piece, &self.columns) {
                writer.write(&row)?;
            }
            match &piece.next {
                Some(next) if !cut => piece = self.piece(Some(next), PIECE_ROWS)?,
                _ => return writer.finish(),
            }
        }
    }
}
