//! Rows put together by equal values of one field, and what can be said of each group.
//!
//! Distinct and commonest values come from one sort of (group, value) pairs: equal pairs then stand side by side.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::base::Base;
use super::column::{Column, Meaning, each_width};
use super::compute::{Compute, image_share, percentage};
use super::looked_up::looked_up;
use super::lookup::LookUp;
use super::order::{self, Sorting, sort_numbers};
use super::pool::parallel;
use super::view::{Parts, View};
use super::{Deadline, Listing, QueryError};

/// Fewer groups than this are not worth a second thread.
const GROUPS_A_THREAD: usize = 1_024;

/// Marks a row whose group is left out.
const NONE: u32 = u32::MAX;

impl View {
    /// The groups of the active rows of a base.
    ///
    /// # Errors
    /// What a look-up or the deadline reports; [`QueryError::Declaration`] where listing and rows do not fit.
    pub(super) fn of_groups(
        listing: &'static Listing,
        key: &'static str,
        base: &Base,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        deadline.check()?;
        let groups = Groups::by(base, key, listing.known, deadline)?;
        let links = base.active as u64;
        let mut columns = Vec::new();
        for column in listing.columns.iter().filter(|column| column.from != Compute::RowNumber) {
            deadline.check()?;
            columns.push((column.name, groups.column(column.from, look_up, deadline)?));
        }
        let place = listing.columns.iter().position(|column| column.from == Compute::Field(key));
        let tie = place.and_then(|at| columns.iter().find(|(name, _)| *name == listing.columns[at].name));
        let tie = tie.map(|(_, column)| column.clone()).ok_or_else(|| declaration(key))?;
        let mut sortings = Vec::new();
        for key in listing.default_keys() {
            let column =
                columns.iter().find(|(name, _)| *name == key.field).map(|(_, column)| column.clone());
            let column = column.ok_or_else(|| declaration(key.field))?;
            sortings.push(Sorting { column, descending: key.descending });
        }
        sortings.push(Sorting { column: tie.clone(), descending: false });
        let rows = order::sort((0..groups.len() as u32).collect(), &sortings, deadline)?;
        deadline.check()?;
        let pick = |(name, column): (&'static str, Column)| Ok((name, column.pick_apart(&rows, deadline)?));
        let columns: Result<Vec<_>, QueryError> = if rows.len() < GROUPS_A_THREAD {
            columns.into_iter().map(pick).collect()
        } else {
            parallel(|| columns.into_par_iter().map(pick).collect())
        };
        let tie = tie.pick_apart(&rows, deadline)?;
        let parts = Parts { tie, rows: 0..rows.len(), columns: columns?, in_order: true, links };
        Ok(Self::new(listing, parts))
    }
}

fn declaration(name: &str) -> QueryError {
    QueryError::Declaration(name.to_owned())
}

/// The groups of a base's active rows, numbered in the order in which rows meet them.
struct Groups<'a> {
    base: &'a Base,
    of_row: Vec<u32>,
    first_row: Vec<u32>,
    sizes: Vec<u32>,
}

/// How often a group has a value.
#[derive(Clone, Copy)]
struct Run {
    group: u32,
    cell: u32,
    rows: u32,
}

impl<'a> Groups<'a> {
    #[expect(clippy::useless_conversion, reason = "one of the widths is that of the result")]
    fn by(base: &'a Base, key: &str, known: Option<&str>, deadline: &Deadline) -> Result<Self, QueryError> {
        let column = base.table.column(key)?;
        let known = known.map(|name| base.table.column(name)).transpose()?;
        let mut groups =
            Self { base, of_row: Vec::with_capacity(base.active), first_row: vec![], sizes: vec![] };
        let mut numbers = Numbers::new(column);
        each_width!(column.cells(), cells => for (row, &cell) in cells[..base.active].iter().enumerate() {
            deadline.check_at(row)?;
            if known.is_some_and(|known| known.value(row).is_unknown()) {
                groups.of_row.push(NONE);
                continue;
            }
            let next = groups.sizes.len() as u32;
            let group = numbers.of(u32::from(cell), next);
            if group == next {
                groups.first_row.push(row as u32);
                groups.sizes.push(0);
            }
            groups.sizes[group as usize] += 1;
            groups.of_row.push(group);
        });
        Ok(groups)
    }

    fn len(&self) -> usize {
        self.sizes.len()
    }

    /// A column with one row per group.
    fn column(
        &self,
        compute: Compute,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Column, QueryError> {
        let number = |cells: Vec<u32>| Column::new(cells, Meaning::Number);
        let hundredths = |cells: Vec<u32>| Column::new(cells, Meaning::Hundredths);
        Ok(match compute {
            Compute::RowNumber => return Err(declaration("row number")),
            Compute::Field(name) => self.base.table.column(name)?.pick(&self.first_row, deadline)?,
            Compute::Count => number(self.sizes.clone()),
            Compute::Percentage => {
                let share = |&size: &u32| percentage(u64::from(size), self.base.active as u64);
                hundredths(self.sizes.iter().map(share).collect())
            }
            Compute::Distinct(name) => number(self.distinct(name, deadline)?),
            Compute::Further(name) => {
                let counts = self.distinct(name, deadline)?.into_iter();
                number(counts.map(|count| count.saturating_sub(1)).collect())
            }
            Compute::Commonest(name) => {
                let column = self.base.table.column(name)?;
                let runs = self.runs(column, |_, _| true, deadline)?;
                column.with_cells(commonest(self.len(), &runs, column, deadline)?)
            }
            Compute::CommonestBeside { field, beside } => {
                let column = self.base.table.column(field)?;
                let beside = self.base.table.column(beside)?;
                let runs = self.runs(beside, |_, _| true, deadline)?;
                let chosen = commonest(self.len(), &runs, beside, deadline)?;
                let counts = |row: usize, group: u32| beside.cell(row) == chosen[group as usize];
                let runs = self.runs(column, counts, deadline)?;
                column.with_cells(commonest(self.len(), &runs, column, deadline)?)
            }
            Compute::ImageShare(flag) => {
                let flag = self.base.table.column(flag)?;
                let mut images = vec![0; self.len()];
                for (row, &group) in self.of_row.iter().enumerate() {
                    deadline.check_at(row)?;
                    if group == NONE {
                        continue;
                    }
                    images[group as usize] += flag.cell(row);
                }
                let shares = images.iter().zip(&self.sizes).map(|(&images, &all)| image_share(images, all));
                Column::of_texts(shares, deadline)?
            }
            Compute::PageRank(_)
            | Compute::DomainRank(_)
            | Compute::RefDomains(_)
            | Compute::ForeignRefDomains(_)
            | Compute::PageState { .. } => {
                let first = |name: &str| self.base.table.column(name)?.pick(&self.first_row, deadline);
                looked_up(compute, &first, look_up, deadline)?
            }
            Compute::Overlap { .. } | Compute::Alike(_) => return Err(declaration("a column of rows")),
        })
    }

    /// How many different known values a field has in each group.
    fn distinct(&self, field: &'static str, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
        let column = self.base.table.column(field)?;
        let mut counts = vec![0; self.len()];
        for (at, run) in self.runs(column, |_, _| true, deadline)?.into_iter().enumerate() {
            deadline.check_at(at)?;
            counts[run.group as usize] += u32::from(!column.meaning_of(run.cell).is_unknown());
        }
        Ok(counts)
    }

    /// The values of a column in each group, groups and values ascending, among the rows that count.
    fn runs(
        &self,
        column: &Column,
        counts: impl Fn(usize, u32) -> bool,
        deadline: &Deadline,
    ) -> Result<Vec<Run>, QueryError> {
        let mut pairs: Vec<u64> = Vec::with_capacity(self.of_row.len());
        each_width!(column.cells(), cells => for ((row, &group), &cell) in self.of_row.iter().enumerate().zip(cells) {
            deadline.check_at(row)?;
            if group != NONE && counts(row, group) {
                pairs.push(u64::from(group) << 32 | u64::from(cell));
            }
        });
        sort_numbers(&mut pairs, deadline)?;
        let run = |equal: &[u64]| Run {
            group: (equal[0] >> 32) as u32,
            cell: equal[0] as u32,
            rows: equal.len() as u32,
        };
        let mut runs = Vec::new();
        for (at, equal) in pairs.chunk_by(|a, b| a == b).enumerate() {
            deadline.check_at(at)?;
            runs.push(run(equal));
        }
        Ok(runs)
    }
}

/// The value that most rows of each group have. An unknown value is chosen only where there is no other; of values
/// that are equally common, the lowest is.
fn commonest(
    groups: usize,
    runs: &[Run],
    column: &Column,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut chosen = vec![0; groups];
    let mut best = None;
    for (at, run) in runs.iter().enumerate() {
        deadline.check_at(at)?;
        let value = column.meaning_of(run.cell);
        let standing = (!value.is_unknown(), run.rows, Reverse(value));
        if best.is_none_or(|(group, highest)| group != run.group || standing > highest) {
            best = Some((run.group, standing));
            chosen[run.group as usize] = run.cell;
        }
    }
    Ok(chosen)
}

/// Numbers for cells, in the order in which they are met.
enum Numbers {
    /// By code, for columns with a dictionary.
    Codes(Vec<u32>),
    Cells(FxHashMap<u32, u32>),
}

impl Numbers {
    fn new(column: &Column) -> Self {
        column
            .codes()
            .map_or_else(|| Self::Cells(FxHashMap::default()), |codes| Self::Codes(vec![NONE; codes]))
    }

    /// The number of a cell, which is `next` if it is new.
    fn of(&mut self, cell: u32, next: u32) -> u32 {
        match self {
            Self::Codes(numbers) => {
                let number = &mut numbers[cell as usize];
                if *number == NONE {
                    *number = next;
                }
                *number
            }
            Self::Cells(numbers) => *numbers.entry(cell).or_insert(next),
        }
    }
}
