//! Views of listings without groups: every row of the view is a row of the row set.

use std::ops::Range;

use hashbrown::HashMap;

use super::{View, ViewParts};
use crate::query::engine::column::{Column, Encoding};
use crate::query::engine::derived::derive_column;
use crate::query::engine::expression::ColumnExpr;
use crate::query::engine::fields::KEY;
use crate::query::engine::row_set::RowSet;
use crate::query::lookup::NameLookup;
use crate::query::selection::LinkStates;
use crate::query::{Deadline, Listing, QueryError};

impl View {
    /// The view of a listing over a row set.
    ///
    /// # Errors
    /// Errors of the lookup; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub fn of(
        listing: &'static Listing,
        row_set: &RowSet,
        link_states: LinkStates,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        match listing.group_by {
            Some(key) => Self::of_groups(listing, key, row_set, link_states, lookup, deadline),
            None => Self::of_rows(listing, row_set, link_states, lookup, deadline),
        }
    }

    /// The view of a listing without groups.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(in crate::query) fn of_rows(
        listing: &'static Listing,
        row_set: &RowSet,
        link_states: LinkStates,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let all = |name: &str| Ok(row_set.table.column(name)?.clone());
        let mut rows = row_set.range(link_states);
        let mut columns = Vec::new();
        for column in listing.usable_columns() {
            let cells = match column.from {
                ColumnExpr::CountSameValue(name) => {
                    count_same_value(row_set.table.column(name)?, rows.clone(), deadline)?
                }
                // Only the shown rows are worth a lookup of their pages.
                from @ ColumnExpr::LinkVisit(_) => {
                    let shown: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
                    let part = |name: &str| row_set.table.column(name)?.pick(&shown, deadline);
                    in_place(&derive_column(from, &part, lookup, deadline)?, &rows, row_set.rows())
                }
                from => derive_column(from, &all, lookup, deadline)?,
            };
            columns.push((column.name, cells));
        }
        let mut tie = row_set.table.column(KEY)?.clone();
        if let Some(only) = listing.only {
            let flag = derive_column(only, &all, lookup, deadline)?;
            let kept = flagged(&flag, rows, deadline)?;
            for (_, column) in &mut columns {
                *column = column.pick(&kept, deadline)?;
            }
            tie = tie.pick(&kept, deadline)?;
            rows = 0..kept.len();
        }
        // Lost rows come after the active ones. Each part is in order; both together are not.
        let one_part = link_states != LinkStates::Both || row_set.active_rows == row_set.rows();
        let in_order = one_part && listing.default_order == listing.rows.stored_order();
        let links = rows.len() as u64;
        Ok(Self::new(listing, ViewParts { columns, tie, rows, in_order, links }))
    }
}

/// The column of `all` rows that has these cells in the given rows.
fn in_place(column: &Column, rows: &Range<usize>, all: usize) -> Column {
    let mut cells = vec![0; all];
    for (cell, value) in cells[rows.clone()].iter_mut().zip(column.cells().iter()) {
        *cell = value;
    }
    column.with_cells(cells)
}

/// The rows whose flag is set.
fn flagged(flag: &Column, rows: Range<usize>, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
    let mut kept = Vec::new();
    for row in rows {
        deadline.check_at(row)?;
        if flag.cell(row) != 0 {
            kept.push(row as u32);
        }
    }
    Ok(kept)
}

/// For each row of a column, how many of the given rows have its value.
fn count_same_value(column: &Column, rows: Range<usize>, deadline: &Deadline) -> Result<Column, QueryError> {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for row in rows {
        deadline.check_at(row)?;
        *counts.entry(column.cell(row)).or_default() += 1;
    }
    let mut cells = Vec::with_capacity(column.rows());
    for (row, cell) in column.cells().iter().enumerate() {
        deadline.check_at(row)?;
        cells.push(counts.get(&cell).copied().unwrap_or(0));
    }
    Ok(Column::new(cells, Encoding::Number))
}
