//! Views: all rows of one listing in one scope, with all columns computed, in the default order.
//!
//! Every page of the listing is read from its view. In the default order a page is a range of rows. `where`
//! is evaluated to one bit per row. Any other order is a permutation, which is computed once and cached.

mod facets;
mod groups;
pub(crate) mod head;
mod rows;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashSet;

use super::column::Column;
use super::expression::ColumnExpr;
use super::filter::bitmap::Bitmap;
use super::filter::formula::{FormulaRows, keep_all};
use super::order::{self, OrderKey, SortColumn};
use super::row_page::row_numbers;
use crate::query::deadline::CELLS_PER_CHECK;
use crate::query::{Deadline, ListColumn, Listing, Plan, QueryError, RowPage, Table, Window};

/// Permutations cached per view: enough for both directions of the few fields that clients order by.
const MAX_CACHED_ORDERS: usize = 8;

/// Calls `each` with chunks of at most `rows_per_page` rows and the index of their first row. Without rows it is
/// called once, with an empty chunk.
pub(in crate::query) fn for_each_chunk<E>(
    rows: &[u32],
    rows_per_page: usize,
    mut each: impl FnMut(usize, &[u32]) -> Result<(), E>,
) -> Result<(), E> {
    if rows.is_empty() {
        return each(0, rows);
    }
    rows.chunks(rows_per_page).enumerate().try_for_each(|(at, rows)| each(at * rows_per_page, rows))
}

/// The error for a missing column: a view has all columns of its listing.
pub(in crate::query) fn missing_column(column: &ListColumn) -> Result<Column, QueryError> {
    Err(QueryError::Declaration(column.name.to_owned()))
}

/// Up to this many rows are sorted per query; larger results use the cached permutation.
const MAX_SORTED_PER_QUERY: usize = 4_096;

/// An order and the rows in it.
type Ordered = (Vec<OrderKey>, Arc<Vec<u32>>);

/// All rows of a listing in one scope. Views are computed in `rows.rs` and `groups.rs`. Their facets are in
/// `facets.rs`, and their distributions in `query/lists/distribution.rs`.
#[derive(Debug)]
pub struct View {
    listing: &'static Listing,
    /// The columns of the listing and the hidden ones, except for row numbers.
    columns: Vec<(&'static str, Column)>,
    /// Breaks ties: its cells ascend with the unique key of the rows.
    tie: Column,
    /// The rows of the columns that belong to the view.
    rows: Range<usize>,
    /// The order in which the rows are stored; `None` when they have none.
    stored_order: Option<Vec<OrderKey>>,
    /// The number of links that the rows represent.
    pub links: u64,
    orders: Mutex<Vec<Ordered>>,
}

/// The columns and rows of a new view.
pub(in crate::query) struct ViewParts {
    pub columns: Vec<(&'static str, Column)>,
    pub tie: Column,
    pub rows: Range<usize>,
    /// Whether the rows are stored in the listing's default order.
    pub in_order: bool,
    pub links: u64,
}

impl View {
    pub(in crate::query) fn new(listing: &'static Listing, parts: ViewParts) -> Self {
        let ViewParts { columns, tie, rows, in_order, links } = parts;
        let stored_order = in_order.then(|| listing.default_keys());
        Self { listing, columns, tie, rows, stored_order, links, orders: Mutex::default() }
    }

    /// A view of groups, from a table of its columns.
    pub(in crate::query) fn of_table(
        listing: &'static Listing,
        table: &Table,
        links: u64,
    ) -> Result<Self, QueryError> {
        let columns = listing
            .usable_columns()
            .map(|column| Ok((column.name, table.column(column.name)?.clone())))
            .collect::<Result<Vec<_>, QueryError>>()?;
        let key = listing
            .columns
            .iter()
            .find(|column| Some(column.from) == listing.group_by.map(ColumnExpr::Field));
        let key = key.ok_or_else(|| QueryError::Declaration(listing.name.to_owned()))?;
        let tie = table.column(key.name)?.clone();
        Ok(Self::new(listing, ViewParts { columns, tie, rows: 0..table.rows(), in_order: true, links }))
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(in crate::query) fn listing(&self) -> &'static Listing {
        self.listing
    }

    pub(in crate::query) fn columns(&self) -> &[(&'static str, Column)] {
        &self.columns
    }

    /// The matching rows of the window, in the order of the plan.
    ///
    /// # Errors
    /// [`QueryError::Deadline`]; [`QueryError::Declaration`] for a column that the view does not have.
    pub fn page(&self, plan: &Plan, window: Window, deadline: &Deadline) -> Result<RowPage, QueryError> {
        let matching = self.matching_rows(plan, deadline)?;
        let window_rows = self.window_rows(plan, matching.as_ref(), window, deadline)?;
        let count = self.count(matching.as_ref());
        let page = self.page_of_rows(plan, &window_rows, window.offset, count, deadline, missing_column)?;
        Ok(RowPage { facets: self.facets(&plan.facets, matching.as_ref(), deadline)?, ..page })
    }

    /// As [`Self::page`], in pages of at most `rows_per_page` rows. Without rows there is one empty page.
    ///
    /// # Errors
    /// As [`Self::page`], and the errors of `each`.
    pub fn for_each_page<E: From<QueryError>>(
        &self,
        plan: &Plan,
        window: Window,
        rows_per_page: usize,
        deadline: &Deadline,
        mut each: impl FnMut(RowPage) -> Result<(), E>,
    ) -> Result<(), E> {
        let matching = self.matching_rows(plan, deadline)?;
        let window_rows = self.window_rows(plan, matching.as_ref(), window, deadline)?;
        let count = self.count(matching.as_ref());
        for_each_chunk(&window_rows, rows_per_page, |first, rows| {
            each(self.page_of_rows(plan, rows, window.offset + first, count, deadline, missing_column)?)
        })
    }

    /// The number of matching rows.
    pub(in crate::query) fn count(&self, matching: Option<&Bitmap>) -> usize {
        matching.map_or(self.rows(), Bitmap::count)
    }

    /// The rows that match all conditions; `None` when there is no condition.
    pub(in crate::query) fn matching_rows(
        &self,
        plan: &Plan,
        deadline: &Deadline,
    ) -> Result<Option<Bitmap>, QueryError> {
        if plan.conditions.is_empty() && self.listing.first_per.is_none() {
            return Ok(None);
        }
        let mut matching = Bitmap::full(self.rows());
        let source = FormulaRows { column: &|name| self.column(name), first: self.rows.start, deadline };
        keep_all(&plan.conditions, &mut matching, &source)?;
        match self.listing.first_per {
            Some(name) => Ok(Some(self.first_per_value(self.column(name)?, &matching, deadline)?)),
            None => Ok(Some(matching)),
        }
    }

    /// Of the matching rows with equal values of a column, the first in the default order.
    fn first_per_value(
        &self,
        column: &Column,
        matching: &Bitmap,
        deadline: &Deadline,
    ) -> Result<Bitmap, QueryError> {
        let mut kept = Bitmap::empty(matching.len());
        let mut seen = HashSet::new();
        let mut keep_first = |row: u32| {
            if seen.insert(column.cell(self.rows.start + row as usize)) {
                kept.set(row as usize);
            }
        };
        if self.stored_order.is_some() {
            for (at, row) in matching.rows_from(0).enumerate() {
                deadline.check_at(at)?;
                keep_first(row);
            }
        } else {
            let first = self.rows.start as u32;
            let order = self.permutation(&self.listing.default_keys(), deadline)?;
            for (at, row) in order.iter().map(|row| row - first).enumerate() {
                deadline.check_at(at)?;
                if matching.get(row as usize) {
                    keep_first(row);
                }
            }
        }
        Ok(kept)
    }

    /// The rows of the window, by their number in the columns.
    pub(in crate::query) fn window_rows(
        &self,
        plan: &Plan,
        matching: Option<&Bitmap>,
        window: Window,
        deadline: &Deadline,
    ) -> Result<Vec<u32>, QueryError> {
        let Window { offset, limit } = window;
        let count = self.count(matching);
        if limit == 0 || offset >= count {
            return Ok(Vec::new());
        }
        let first = self.rows.start as u32;
        if self.stored_order.as_ref() == Some(&plan.order) {
            return Ok(match matching {
                None => (self.rows.start + offset..self.rows.end).take(limit).map(|row| row as u32).collect(),
                Some(matching) => matching.rows_from(offset).take(limit).map(|row| first + row).collect(),
            });
        }
        if count <= MAX_SORTED_PER_QUERY {
            let candidates = match matching {
                None => (first..).take(count).collect(),
                Some(matching) => matching.rows_from(0).map(|row| first + row).collect(),
            };
            return order::select(candidates, &self.sort_columns(&plan.order)?, offset, limit, deadline);
        }
        deadline.check()?;
        let order = self.permutation(&plan.order, deadline)?;
        let Some(matching) = matching else {
            return Ok(order.iter().copied().skip(offset).take(limit).collect());
        };
        window_of_matches(&order, |row| matching.get((row - first) as usize), window, deadline)
    }

    /// The page of these rows. A column that the view does not have is computed by `derive`.
    pub(in crate::query) fn page_of_rows(
        &self,
        plan: &Plan,
        window_rows: &[u32],
        offset: usize,
        count: usize,
        deadline: &Deadline,
        derive: impl Fn(&ListColumn) -> Result<Column, QueryError>,
    ) -> Result<RowPage, QueryError> {
        let columns = plan.columns.iter().map(|column| {
            let known = self.columns.iter().find(|(name, _)| *name == column.name);
            let cells = match (column.from, known) {
                (ColumnExpr::RowNumber, _) => row_numbers(offset, window_rows.len()),
                (_, Some((_, known))) => known.pick(window_rows, deadline)?,
                (_, None) => derive(column)?,
            };
            Ok((column.name, cells))
        });
        let columns = columns.collect::<Result<_, QueryError>>()?;
        Ok(RowPage { columns, rows: window_rows.len(), count, facets: Vec::new() })
    }

    pub(in crate::query) fn column(&self, name: &str) -> Result<&Column, QueryError> {
        self.columns
            .iter()
            .find(|(column, _)| *column == name)
            .map(|(_, column)| column)
            .ok_or_else(|| QueryError::Declaration(name.to_owned()))
    }

    fn sort_columns(&self, order: &[OrderKey]) -> Result<Vec<SortColumn>, QueryError> {
        let keys = order.iter().map(|key| {
            Ok(SortColumn { column: self.column(key.column)?.clone(), descending: key.descending })
        });
        let tie = SortColumn { column: self.tie.clone(), descending: false };
        keys.chain(std::iter::once(Ok(tie))).collect()
    }

    /// All rows in this order, from the cache if it is there.
    pub(in crate::query) fn permutation(
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
        let order = Arc::new(order::sort(rows, &self.sort_columns(keys)?, deadline)?);
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.len() == MAX_CACHED_ORDERS {
            orders.remove(0);
        }
        orders.push((keys.to_vec(), Arc::clone(&order)));
        Ok(order)
    }

    /// The size in memory in bytes, with one permutation.
    pub(in crate::query) fn memory_bytes(&self) -> usize {
        self.columns.iter().map(|(_, column)| column.memory_bytes()).sum::<usize>()
            + self.rows() * size_of::<u32>()
    }
}

/// The rows of the window among those that match, in this order.
fn window_of_matches(
    order: &[u32],
    matches: impl Fn(u32) -> bool,
    window: Window,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let Window { offset, limit } = window;
    let (mut skipped, mut window_rows) = (0, Vec::new());
    for rows in order.chunks(CELLS_PER_CHECK) {
        deadline.check()?;
        let mut matching = rows.iter().copied().filter(|&row| matches(row));
        skipped += matching.by_ref().take(offset - skipped).count();
        window_rows.extend(matching.take(limit - window_rows.len()));
        if window_rows.len() == limit {
            break;
        }
    }
    Ok(window_rows)
}
