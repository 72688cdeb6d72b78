//! Views of listings with groups: rows with equal values of one field form a group.
//!
//! Distinct and most frequent values come from one sort of (group, value) pairs: equal pairs become
//! neighbours.

use std::cmp::Reverse;
use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::{View, ViewParts};
use crate::query::engine::column::{Column, Encoding, each_width};
use crate::query::engine::derived::derive_column;
use crate::query::engine::expression::{ColumnExpr, image_share, percentage};
use crate::query::engine::order::{self, SortColumn, sort_numbers};
use crate::query::engine::row_set::RowSet;
use crate::query::lookup::NameLookup;
use crate::query::selection::LinkStates;
use crate::query::thread_pool::parallel;
use crate::query::{Deadline, Listing, QueryError};

/// Below this number of groups, a second thread costs more than it saves.
const MIN_PARALLEL_GROUPS: usize = 1_024;

/// Marks a row whose group is left out.
const NO_GROUP: u32 = u32::MAX;

impl View {
    /// The view of the groups of a row set's rows in these states.
    ///
    /// # Errors
    /// Errors of the lookup; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub(in crate::query) fn of_groups(
        listing: &'static Listing,
        key: &'static str,
        row_set: &RowSet,
        link_states: LinkStates,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        deadline.check()?;
        let groups =
            Groups::group_by(row_set, row_set.range(link_states), (key, listing.requires_known), deadline)?;
        let links = groups.rows as u64;
        let mut columns = Vec::new();
        for column in listing.usable_columns() {
            deadline.check()?;
            columns.push((column.name, groups.column(column.from, lookup, deadline)?));
        }
        let place = listing.columns.iter().position(|column| column.from == ColumnExpr::Field(key));
        let tie = place.and_then(|at| columns.iter().find(|(name, _)| *name == listing.columns[at].name));
        let tie = tie.map(|(_, column)| column.clone()).ok_or_else(|| declaration(key))?;
        let mut sort_columns = Vec::new();
        for key in listing.default_keys() {
            let column =
                columns.iter().find(|(name, _)| *name == key.column).map(|(_, column)| column.clone());
            let column = column.ok_or_else(|| declaration(key.column))?;
            sort_columns.push(SortColumn { column, descending: key.descending });
        }
        sort_columns.push(SortColumn { column: tie.clone(), descending: false });
        let rows = order::sort((0..groups.len() as u32).collect(), &sort_columns, deadline)?;
        deadline.check()?;
        let pick = |(name, column): (&'static str, Column)| Ok((name, column.pick_compact(&rows, deadline)?));
        let columns: Result<Vec<_>, QueryError> = if rows.len() < MIN_PARALLEL_GROUPS {
            columns.into_iter().map(pick).collect()
        } else {
            parallel(|| columns.into_par_iter().map(pick).collect())
        };
        let tie = tie.pick_compact(&rows, deadline)?;
        let parts = ViewParts { tie, rows: 0..rows.len(), columns: columns?, in_order: true, links };
        Ok(Self::new(listing, parts))
    }
}

fn declaration(name: &str) -> QueryError {
    QueryError::Declaration(name.to_owned())
}

/// The groups of some rows of a row set, numbered by their first rows.
struct Groups<'a> {
    row_set: &'a RowSet,
    /// The number of these rows.
    rows: usize,
    /// The group of each row of the set up to the last of these rows.
    group_of_row: Vec<u32>,
    first_row: Vec<u32>,
    sizes: Vec<u32>,
}

/// The number of rows of a group that have a value.
#[derive(Clone, Copy)]
struct ValueCount {
    group: u32,
    cell: u32,
    rows: u32,
}

impl<'a> Groups<'a> {
    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    fn group_by(
        row_set: &'a RowSet,
        rows: Range<usize>,
        (key, known): (&str, Option<&str>),
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let column = row_set.table.column(key)?;
        let known = known.map(|name| row_set.table.column(name)).transpose()?;
        let mut groups = Self {
            row_set,
            rows: rows.len(),
            group_of_row: Vec::with_capacity(rows.end),
            first_row: vec![],
            sizes: vec![],
        };
        let mut numbers = GroupNumbers::new(column);
        each_width!(column.cells(), cells => for (row, &cell) in cells[..rows.end].iter().enumerate() {
            deadline.check_at(row)?;
            if row < rows.start || known.is_some_and(|known| known.value(row).is_unknown()) {
                groups.group_of_row.push(NO_GROUP);
                continue;
            }
            let next = groups.sizes.len() as u32;
            let group = numbers.of(u32::from(cell), next);
            if group == next {
                groups.first_row.push(row as u32);
                groups.sizes.push(0);
            }
            groups.sizes[group as usize] += 1;
            groups.group_of_row.push(group);
        });
        Ok(groups)
    }

    fn len(&self) -> usize {
        self.sizes.len()
    }

    /// A column with one row per group.
    fn column(
        &self,
        expr: ColumnExpr,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<Column, QueryError> {
        let number = |cells: Vec<u32>| Column::new(cells, Encoding::Number);
        let hundredths = |cells: Vec<u32>| Column::new(cells, Encoding::Hundredths);
        Ok(match expr {
            ColumnExpr::RowNumber => return Err(declaration("row number")),
            ColumnExpr::Field(name) => self.row_set.table.column(name)?.pick(&self.first_row, deadline)?,
            ColumnExpr::Count => number(self.sizes.clone()),
            ColumnExpr::Percentage => {
                let share = |&size: &u32| percentage(u64::from(size), self.rows as u64);
                hundredths(self.sizes.iter().map(share).collect())
            }
            ColumnExpr::Distinct(name) => number(self.distinct(name, deadline)?),
            ColumnExpr::DistinctMinusOne(name) => {
                let counts = self.distinct(name, deadline)?.into_iter();
                number(counts.map(|count| count.saturating_sub(1)).collect())
            }
            ColumnExpr::Mode(name) => self.most_frequent(name, deadline)?,
            ColumnExpr::Lowest(name) => self.lowest(name, deadline)?,
            ColumnExpr::CountUnset(name) => number(self.count_unset(name, deadline)?),
            ColumnExpr::LastActiveDay => self.last_active_days(deadline)?,
            ColumnExpr::ModeGiven { field, given } => self.modes_given(field, given, deadline)?,
            ColumnExpr::ImageShare(flag) => self.image_shares(flag, deadline)?,
            ColumnExpr::PageRank(_)
            | ColumnExpr::DomainRank(_)
            | ColumnExpr::RefDomains(_)
            | ColumnExpr::ForeignRefDomains(_)
            | ColumnExpr::PageState { .. } => {
                let first = |name: &str| self.row_set.table.column(name)?.pick(&self.first_row, deadline);
                derive_column(expr, &first, lookup, deadline)?
            }
            ColumnExpr::JaccardIndex { .. } | ColumnExpr::CountSameValue(_) | ColumnExpr::LinkVisit(_) => {
                return Err(declaration("a column of rows"));
            }
        })
    }

    /// The most frequent value of a field in each group.
    fn most_frequent(&self, field: &str, deadline: &Deadline) -> Result<Column, QueryError> {
        let column = self.row_set.table.column(field)?;
        Ok(column.with_cells(self.modes(column, |_, _| true, deadline)?))
    }

    /// The lowest number or day of a field in each group.
    fn lowest(&self, field: &str, deadline: &Deadline) -> Result<Column, QueryError> {
        let column = self.row_set.table.column(field)?;
        let cells = self.fold_rows(u32::MAX, deadline, |lowest, row| lowest.min(column.cell(row)))?;
        Ok(column.with_cells(cells))
    }

    /// The number of rows of each group that do not have a flag.
    fn count_unset(&self, flag: &str, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
        let flag = self.row_set.table.column(flag)?;
        self.fold_rows(0, deadline, |count, row| count + u32::from(flag.cell(row) == 0))
    }

    /// The most frequent cell of each group in one column, among the rows with the most frequent cell in another.
    fn modes_given(&self, field: &str, given: &str, deadline: &Deadline) -> Result<Column, QueryError> {
        let column = self.row_set.table.column(field)?;
        let given = self.row_set.table.column(given)?;
        let chosen = self.modes(given, |_, _| true, deadline)?;
        let counts = |row: usize, group: u32| given.cell(row) == chosen[group as usize];
        Ok(column.with_cells(self.modes(column, counts, deadline)?))
    }

    /// The most frequent cell of each group, among the rows that count.
    fn modes(
        &self,
        column: &Column,
        counts: impl Fn(usize, u32) -> bool,
        deadline: &Deadline,
    ) -> Result<Vec<u32>, QueryError> {
        mode(self.len(), &self.value_counts(column, counts, deadline)?, column, deadline)
    }

    /// A number of each group, folded over its rows from `start`.
    fn fold_rows(
        &self,
        start: u32,
        deadline: &Deadline,
        fold: impl Fn(u32, usize) -> u32,
    ) -> Result<Vec<u32>, QueryError> {
        let mut folded = vec![start; self.len()];
        for (row, &group) in self.group_of_row.iter().enumerate() {
            deadline.check_at(row)?;
            if group != NO_GROUP {
                let number = &mut folded[group as usize];
                *number = fold(*number, row);
            }
        }
        Ok(folded)
    }

    /// The last day on which a link of each group counted as active.
    fn last_active_days(&self, deadline: &Deadline) -> Result<Column, QueryError> {
        let column = |name: &str| self.row_set.table.column(name);
        let (active, updated, lost) = (column("active")?, column("updDate")?, column("lostDate")?);
        let day = |row: usize| if active.cell(row) == 0 { lost.cell(row) } else { updated.cell(row) };
        Ok(updated.with_cells(self.fold_rows(0, deadline, |last, row| last.max(day(row)))?))
    }

    /// The share of rows with a flag in each group, in words.
    fn image_shares(&self, flag: &'static str, deadline: &Deadline) -> Result<Column, QueryError> {
        let flag = self.row_set.table.column(flag)?;
        let images = self.fold_rows(0, deadline, |count, row| count + flag.cell(row))?;
        let shares = images.iter().zip(&self.sizes).map(|(&images, &all)| image_share(images, all));
        Column::from_texts(shares, deadline)
    }

    /// The number of distinct known values of a field in each group.
    fn distinct(&self, field: &'static str, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
        let column = self.row_set.table.column(field)?;
        let mut counts = vec![0; self.len()];
        for (at, count) in self.value_counts(column, |_, _| true, deadline)?.into_iter().enumerate() {
            deadline.check_at(at)?;
            counts[count.group as usize] += u32::from(!column.decode(count.cell).is_unknown());
        }
        Ok(counts)
    }

    /// The values of a column in each group, among the rows for which `counts` holds. Groups and values
    /// ascend.
    fn value_counts(
        &self,
        column: &Column,
        counts: impl Fn(usize, u32) -> bool,
        deadline: &Deadline,
    ) -> Result<Vec<ValueCount>, QueryError> {
        let mut pairs: Vec<u64> = Vec::with_capacity(self.group_of_row.len());
        each_width!(column.cells(), cells => for ((row, &group), &cell) in self.group_of_row.iter().enumerate().zip(cells) {
            deadline.check_at(row)?;
            if group != NO_GROUP && counts(row, group) {
                pairs.push(u64::from(group) << 32 | u64::from(cell));
            }
        });
        sort_numbers(&mut pairs, deadline)?;
        let count = |equal: &[u64]| ValueCount {
            group: (equal[0] >> 32) as u32,
            cell: equal[0] as u32,
            rows: equal.len() as u32,
        };
        let mut value_counts = Vec::new();
        for (at, equal) in pairs.chunk_by(|a, b| a == b).enumerate() {
            deadline.check_at(at)?;
            value_counts.push(count(equal));
        }
        Ok(value_counts)
    }
}

/// The most frequent value of each group. An unknown value is chosen only if the group has no other. Of
/// equally frequent values the lowest is chosen.
fn mode(
    groups: usize,
    value_counts: &[ValueCount],
    column: &Column,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut chosen = vec![0; groups];
    let mut best = None;
    for (at, count) in value_counts.iter().enumerate() {
        deadline.check_at(at)?;
        let value = column.decode(count.cell);
        let rank = (!value.is_unknown(), count.rows, Reverse(value));
        if best.is_none_or(|(group, highest)| group != count.group || rank > highest) {
            best = Some((count.group, rank));
            chosen[count.group as usize] = count.cell;
        }
    }
    Ok(chosen)
}

/// The group numbers of cells, in the order in which the cells first occur.
enum GroupNumbers {
    /// Indexed by code, for columns with a dictionary.
    Codes(Vec<u32>),
    Cells(HashMap<u32, u32>),
}

impl GroupNumbers {
    fn new(column: &Column) -> Self {
        column
            .dictionary_len()
            .map_or_else(|| Self::Cells(HashMap::new()), |codes| Self::Codes(vec![NO_GROUP; codes]))
    }

    /// The group number of a cell; `next` for a new cell.
    fn of(&mut self, cell: u32, next: u32) -> u32 {
        match self {
            Self::Codes(numbers) => {
                let number = &mut numbers[cell as usize];
                if *number == NO_GROUP {
                    *number = next;
                }
                *number
            }
            Self::Cells(numbers) => *numbers.entry(cell).or_insert(next),
        }
    }
}
