//! Row sets: all rows of a selection with all their fields. Every view is computed from one.
//!
//! Rows are stored in the default order of lists without groups:
//!
//! | rows | order |
//! |---|---|
//! | backlinks | active before lost; rank of their page, descending; key |
//! | outgoing links | first day, descending; key |
//! | pages | key |

use std::ops::Range;

use super::column::{Column, Encoding, Value};
use super::fields::backlinks::BACKLINK_FIELDS;
use super::fields::{KEY, RANK, RowKind};
use super::order::sort_numbers;
use super::table::{Table, TableBuilder};
use crate::model::{BacklinkRecord, SearchRank};
use crate::query::lookup::NameLookup;
use crate::query::selection::LinkStates;
use crate::query::{Deadline, QueryError};
use crate::store::BacklinkRef;
use crate::urls::Suffixes;

/// The highest rank, in hundredths.
const MAX_RANK: u32 = SearchRank::MAX.0 as u32;

/// All rows of a selection. They are read in `query/index/rows.rs`, and their store keys are in
/// `query/index/export.rs`.
#[derive(Clone, Debug, Default)]
pub struct RowSet {
    pub(in crate::query) table: Table,
    /// The number of active rows. They come first; the rows after them are lost.
    pub(in crate::query) active_rows: usize,
}

impl RowSet {
    /// The row set of the given backlinks, which are in key order.
    ///
    /// # Errors
    /// Errors of the lookup; [`QueryError::Deadline`].
    pub fn of_backlinks(
        links: &[BacklinkRecord],
        suffixes: &Suffixes,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let rows: Vec<BacklinkRef<'_>> = links.iter().map(BacklinkRef::from).collect();
        let table = TableBuilder::from_rows(BACKLINK_FIELDS, &rows, suffixes, deadline)?;
        Self::new(table, RowKind::Backlinks, lookup, deadline)
    }

    /// Adds the column [`KEY`], with the position of each row.
    pub(in crate::query) fn keyed(mut table: Table) -> Table {
        table.add(KEY, Column::new((0..table.rows() as u32).collect(), Encoding::Number));
        table
    }

    /// The row set of rows in key order: adds their ranks and sorts them.
    pub(in crate::query) fn new(
        mut table: Table,
        rows: RowKind,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let count = table.rows();
        table = Self::keyed(table);
        let order = match rows {
            RowKind::Backlinks => {
                let ranks = ranks_of(table.column("backlinkpage")?, lookup, deadline)?;
                let active = table.column("active")?;
                let lost = |row: usize| u32::from(active.cell(row) == 0);
                let order = ascending(count, |row| lost(row) << 16 | (MAX_RANK - ranks.cell(row)), deadline)?;
                table.add(RANK, ranks);
                order
            }
            RowKind::Outgoing => {
                let ranks = ranks_of(table.column("url")?, lookup, deadline)?;
                let days = table.column("cdate")?;
                let order = ascending(count, |row| u32::MAX - days.cell(row), deadline)?;
                table.add(RANK, ranks);
                order
            }
            _ => return Ok(Self { table, active_rows: count }),
        };
        let table = table.pick(&order, deadline)?;
        let active = match table.column("active") {
            Ok(active) => (0..count).take_while(|&row| active.cell(row) != 0).count(),
            Err(_) => count,
        };
        Ok(Self { table, active_rows: active })
    }

    /// The number of rows, including lost ones.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    pub(in crate::query) fn range(&self, link_states: LinkStates) -> Range<usize> {
        match link_states {
            LinkStates::Active => 0..self.active_rows,
            LinkStates::Lost => self.active_rows..self.rows(),
            LinkStates::Both => 0..self.rows(),
        }
    }

    pub(in crate::query) fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }
}

/// The ranks of the pages that a column names.
fn ranks_of(pages: &Column, lookup: &dyn NameLookup, deadline: &Deadline) -> Result<Column, QueryError> {
    let codes = 0..pages.dictionary_len().unwrap_or(0) as u32;
    let names: Vec<&str> = codes
        .map(|code| match pages.decode(code) {
            Value::Text(name) => name,
            _ => "",
        })
        .collect();
    let ranks = lookup.page_ranks(&names)?;
    let mut cells = Vec::with_capacity(pages.rows());
    for (row, code) in pages.cells().iter().enumerate() {
        deadline.check_at(row)?;
        cells.push(ranks[code as usize]);
    }
    Ok(Column::new(cells, Encoding::Hundredths))
}

/// The row numbers below `rows` in ascending order of a number. Rows with equal numbers keep their order.
fn ascending(
    rows: usize,
    number: impl Fn(usize) -> u32,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut keyed: Vec<u64> = (0..rows).map(|row| u64::from(number(row)) << 32 | row as u64).collect();
    sort_numbers(&mut keyed, deadline)?;
    Ok(keyed.into_iter().map(|key| key as u32).collect())
}
