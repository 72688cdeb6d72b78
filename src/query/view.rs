//! The rows of one listing in one scope, all columns worked out, in the listing's default order: what every page
//! of the listing is read from.
//!
//! A page in the default order is a run of rows. `where` is answered by a bit per row, any other order by a
//! permutation that is made once and remembered.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashSet;

use super::bitmap::Bitmap;
use super::column::Column;
use super::compute::Compute;
use super::deadline::CELLS_A_LOOK;
use super::order::{self, OrderKey, Sorting};
use super::page::row_numbers;
use super::{Deadline, ListColumn, Listing, Page, Plan, QueryError, Table, Window};

/// Permutations remembered per view: two directions of the few fields that clients order by.
const ORDERS_KEPT: usize = 8;

/// Hands rows out in runs of at most `piece`, each with the number of its first; in one without rows where there are
/// none.
pub(super) fn in_pieces<E>(
    rows: &[u32],
    piece: usize,
    mut each: impl FnMut(usize, &[u32]) -> Result<(), E>,
) -> Result<(), E> {
    if rows.is_empty() {
        return each(0, rows);
    }
    rows.chunks(piece).enumerate().try_for_each(|(at, rows)| each(at * piece, rows))
}

/// A view has all of its listing's columns.
pub(super) fn no_other(column: &ListColumn) -> Result<Column, QueryError> {
    Err(QueryError::Declaration(column.name.to_owned()))
}

/// As many rows are sorted anew for a question; more are taken out of a remembered permutation.
const SORTED_ANEW: usize = 4_096;

/// An order, and the rows in it.
type Ordered = (Vec<OrderKey>, Arc<Vec<u32>>);

/// All rows of a listing in one scope.
#[derive(Debug)]
pub struct View {
    listing: &'static Listing,
    /// The listing's columns, but for row numbers.
    columns: Vec<(&'static str, Column)>,
    /// Ascends with the unique key of the rows.
    tie: Column,
    /// Which rows of the columns are the view's.
    rows: Range<usize>,
    /// The order in which the rows stand, where they stand in one.
    stored: Option<Vec<OrderKey>>,
    /// How many links the rows stand for.
    pub links: u64,
    orders: Mutex<Vec<Ordered>>,
}

/// The columns of a view and how they stand.
pub(super) struct Parts {
    pub columns: Vec<(&'static str, Column)>,
    pub tie: Column,
    pub rows: Range<usize>,
    /// Whether the rows stand in the listing's default order.
    pub in_order: bool,
    pub links: u64,
}

impl View {
    pub(super) fn new(listing: &'static Listing, parts: Parts) -> Self {
        let Parts { columns, tie, rows, in_order, links } = parts;
        let stored = in_order.then(|| listing.default_keys());
        Self { listing, columns, tie, rows, stored, links, orders: Mutex::default() }
    }

    /// A view of groups, out of a table of its columns.
    pub(super) fn of_table(listing: &'static Listing, table: &Table, links: u64) -> Result<Self, QueryError> {
        let named = listing.columns.iter().filter(|column| column.from != Compute::RowNumber);
        let columns = named
            .map(|column| Ok((column.name, table.column(column.name)?.clone())))
            .collect::<Result<Vec<_>, QueryError>>()?;
        let key =
            listing.columns.iter().find(|column| Some(column.from) == listing.group_by.map(Compute::Field));
        let key = key.ok_or_else(|| QueryError::Declaration(listing.name.to_owned()))?;
        let tie = table.column(key.name)?.clone();
        Ok(Self::new(listing, Parts { columns, tie, rows: 0..table.rows(), in_order: true, links }))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn listing(&self) -> &'static Listing {
        self.listing
    }

    pub(super) fn columns(&self) -> &[(&'static str, Column)] {
        &self.columns
    }

    /// The rows of the window that pass, in the order asked for.
    ///
    /// # Errors
    /// What the deadline reports; [`QueryError::Declaration`] for a column that the view lacks.
    pub fn page(&self, plan: &Plan, window: Window, deadline: &Deadline) -> Result<Page, QueryError> {
        let passing = self.passing(plan, deadline)?;
        let shown = self.shown(plan, passing.as_ref(), window, deadline)?;
        self.show(plan, &shown, window.offset, self.count(passing.as_ref()), deadline, no_other)
    }

    /// As [`Self::page`], handed out in pages of at most `piece` rows; in one without rows where there are none.
    ///
    /// # Errors
    /// As [`Self::page`], and what `each` reports.
    pub fn pieces<E: From<QueryError>>(
        &self,
        plan: &Plan,
        window: Window,
        piece: usize,
        deadline: &Deadline,
        mut each: impl FnMut(Page) -> Result<(), E>,
    ) -> Result<(), E> {
        let passing = self.passing(plan, deadline)?;
        let shown = self.shown(plan, passing.as_ref(), window, deadline)?;
        let count = self.count(passing.as_ref());
        in_pieces(&shown, piece, |first, rows| {
            each(self.show(plan, rows, window.offset + first, count, deadline, no_other)?)
        })
    }

    /// How many rows pass.
    pub(super) fn count(&self, passing: Option<&Bitmap>) -> usize {
        passing.map_or(self.rows(), Bitmap::count)
    }

    /// The rows that pass all conditions; `None` where there is no condition. Conditions on numbers come first, since
    /// they cost least.
    pub(super) fn passing(&self, plan: &Plan, deadline: &Deadline) -> Result<Option<Bitmap>, QueryError> {
        if plan.conditions.is_empty() && self.listing.first_of.is_none() {
            return Ok(None);
        }
        let mut tests = plan
            .conditions
            .iter()
            .map(|condition| Ok((self.column(condition.field)?, &condition.test)))
            .collect::<Result<Vec<_>, QueryError>>()?;
        tests.sort_by_key(|(column, _)| column.codes());
        let mut passing = Bitmap::full(self.rows());
        for (column, test) in tests {
            test.keep(&mut passing, column, self.rows.start, deadline)?;
        }
        match self.listing.first_of {
            Some(name) => Ok(Some(self.first_of(self.column(name)?, &passing, deadline)?)),
            None => Ok(Some(passing)),
        }
    }

    /// Of the rows that pass, the first of each value of a column, in the default order.
    fn first_of(&self, column: &Column, passing: &Bitmap, deadline: &Deadline) -> Result<Bitmap, QueryError> {
        let mut left = Bitmap::empty(passing.len());
        let mut met = FxHashSet::default();
        let mut meet = |row: u32| {
            if met.insert(column.cell(self.rows.start + row as usize)) {
                left.set(row as usize);
            }
        };
        if self.stored.is_some() {
            for (at, row) in passing.rows_from(0).enumerate() {
                deadline.check_at(at)?;
                meet(row);
            }
        } else {
            let first = self.rows.start as u32;
            let order = self.in_order(&self.listing.default_keys(), deadline)?;
            for (at, row) in order.iter().map(|row| row - first).enumerate() {
                deadline.check_at(at)?;
                if passing.get(row as usize) {
                    meet(row);
                }
            }
        }
        Ok(left)
    }

    /// The rows of the window, by their number in the columns.
    pub(super) fn shown(
        &self,
        plan: &Plan,
        passing: Option<&Bitmap>,
        window: Window,
        deadline: &Deadline,
    ) -> Result<Vec<u32>, QueryError> {
        let Window { offset, limit } = window;
        let count = self.count(passing);
        if limit == 0 || offset >= count {
            return Ok(Vec::new());
        }
        let first = self.rows.start as u32;
        if self.stored.as_ref() == Some(&plan.order) {
            return Ok(match passing {
                None => (self.rows.start + offset..self.rows.end).take(limit).map(|row| row as u32).collect(),
                Some(passing) => passing.rows_from(offset).take(limit).map(|row| first + row).collect(),
            });
        }
        if count <= SORTED_ANEW {
            let candidates = match passing {
                None => (first..).take(count).collect(),
                Some(passing) => passing.rows_from(0).map(|row| first + row).collect(),
            };
            return order::select(candidates, &self.sortings(&plan.order)?, offset, limit, deadline);
        }
        deadline.check()?;
        let order = self.in_order(&plan.order, deadline)?;
        let Some(passing) = passing else {
            return Ok(order.iter().copied().skip(offset).take(limit).collect());
        };
        let (mut skipped, mut shown) = (0, Vec::new());
        for rows in order.chunks(CELLS_A_LOOK) {
            deadline.check()?;
            let mut passing = rows.iter().copied().filter(|row| passing.get((row - first) as usize));
            skipped += passing.by_ref().take(offset - skipped).count();
            shown.extend(passing.take(limit - shown.len()));
            if shown.len() == limit {
                break;
            }
        }
        Ok(shown)
    }

    /// All columns of the rows named; those that the view has not are worked out by `other`.
    pub(super) fn show(
        &self,
        plan: &Plan,
        shown: &[u32],
        offset: usize,
        count: usize,
        deadline: &Deadline,
        other: impl Fn(&ListColumn) -> Result<Column, QueryError>,
    ) -> Result<Page, QueryError> {
        let columns = plan.columns.iter().map(|column| {
            let known = self.columns.iter().find(|(name, _)| *name == column.name);
            let cells = match (column.from, known) {
                (Compute::RowNumber, _) => row_numbers(offset, shown.len()),
                (_, Some((_, known))) => known.pick(shown, deadline)?,
                (_, None) => other(column)?,
            };
            Ok((column.name, cells))
        });
        Ok(Page { columns: columns.collect::<Result<_, QueryError>>()?, rows: shown.len(), count })
    }

    pub(super) fn column(&self, name: &str) -> Result<&Column, QueryError> {
        self.columns
            .iter()
            .find(|(column, _)| *column == name)
            .map(|(_, column)| column)
            .ok_or_else(|| QueryError::Declaration(name.to_owned()))
    }

    fn sortings(&self, order: &[OrderKey]) -> Result<Vec<Sorting>, QueryError> {
        let asked = order
            .iter()
            .map(|key| Ok(Sorting { column: self.column(key.field)?.clone(), descending: key.descending }));
        let tie = Sorting { column: self.tie.clone(), descending: false };
        asked.chain(std::iter::once(Ok(tie))).collect()
    }

    /// All rows in an order.
    pub(super) fn in_order(
        &self,
        keys: &[OrderKey],
        deadline: &Deadline,
    ) -> Result<Arc<Vec<u32>>, QueryError> {
        let known = |orders: &[Ordered]| {
            orders.iter().find(|(known, _)| known == keys).map(|(_, order)| Arc::clone(order))
        };
        if let Some(order) = known(&self.orders.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(order);
        }
        let rows = (self.rows.start as u32..self.rows.end as u32).collect();
        let order = Arc::new(order::sort(rows, &self.sortings(keys)?, deadline)?);
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.len() == ORDERS_KEPT {
            orders.remove(0);
        }
        orders.push((keys.to_vec(), Arc::clone(&order)));
        Ok(order)
    }

    /// Bytes of memory, with one permutation.
    pub(super) fn bytes(&self) -> usize {
        self.columns.iter().map(|(_, column)| column.bytes()).sum::<usize>() + self.rows() * size_of::<u32>()
    }
}
