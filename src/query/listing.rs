//! A listing: the declaration of a list endpoint, and how it is answered.
//!
//! The unique key that decides ties needs no declaration: rows of their own stand in the order of the store's
//! keys (target, source, link), groups in the order of the values they are made by.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::column::{Column, Kind, Meaning, Value};
use super::field::{BACKLINK_FIELDS, find};
use super::filter::{self, Condition};
use super::frame::{Compute, Frame};
use super::order::{self, OrderKey, Sorting};
use super::ranks::RankSource;
use super::{Deadline, QueryError, Table};

/// What the rows of a listing are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Active external links into the scope: [`super::scan::backlinks`].
    Backlinks,
}

impl Rows {
    fn kind_of(self, field: &str) -> Option<Kind> {
        match self {
            Self::Backlinks => find(BACKLINK_FIELDS, field).map(super::Field::kind),
        }
    }
}

/// A named column of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    pub name: &'static str,
    pub from: Compute,
}

/// The declaration of a list endpoint. Fields to order and filter by name columns, shown or hidden.
#[derive(Debug)]
pub struct Listing {
    pub rows: Rows,
    /// Fields whose equal values make a group; none: every row stands for itself.
    pub group_by: &'static [&'static str],
    /// The columns that answers show, in this order.
    pub columns: &'static [ListColumn],
    /// Columns that only serve to order or filter by.
    pub hidden: &'static [ListColumn],
    pub order_fields: &'static [&'static str],
    /// As `order[]` writes it.
    pub default_order: &'static [&'static str],
    pub where_fields: &'static [&'static str],
}

/// A question to a listing, checked before any row is read.
#[derive(Debug)]
pub struct Plan {
    conditions: Vec<Condition>,
    order: Vec<OrderKey>,
    /// What was ignored, and why.
    pub warnings: Vec<String>,
}

/// Which rows of the answer to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub offset: usize,
    pub limit: usize,
}

/// The rows of an answer that are shown. Serialises as an array of objects.
#[derive(Debug)]
pub struct Page {
    columns: Vec<(&'static str, Column)>,
    rows: usize,
    /// How many rows passed `where`, shown or not.
    pub count: usize,
}

impl Listing {
    /// Reads the texts of `where` and `order[]`.
    ///
    /// # Errors
    /// [`QueryError::Where`]; [`QueryError::Declaration`] where the listing contradicts itself.
    pub fn plan<'t>(
        &self,
        filter: Option<&str>,
        order: impl Iterator<Item = &'t str>,
    ) -> Result<Plan, QueryError> {
        let fields = self
            .where_fields
            .iter()
            .map(|&name| Ok((name, self.kind(self.column(name)?)?)))
            .collect::<Result<Vec<_>, QueryError>>()?;
        let conditions = filter::parse(filter.unwrap_or_default(), &fields)?;
        let (mut order, warnings) = order::parse(order, self.order_fields);
        if order.is_empty() {
            order = order::parse(self.default_order.iter().copied(), self.order_fields).0;
        }
        Ok(Plan { conditions, order, warnings })
    }

    /// The column of a name, shown or hidden.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] when there is none.
    pub fn column(&self, name: &str) -> Result<ListColumn, QueryError> {
        let mut all = self.columns.iter().chain(self.hidden);
        all.find(|column| column.name == name)
            .copied()
            .ok_or_else(|| QueryError::Declaration(name.to_owned()))
    }

    /// The kind of a column's values.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] when the column reads a field that the rows do not have.
    pub fn kind(&self, column: ListColumn) -> Result<Kind, QueryError> {
        column
            .from
            .kind(|field| self.rows.kind_of(field))
            .ok_or_else(|| QueryError::Declaration(column.name.to_owned()))
    }

    /// The fields that a scan has to read for this plan, each once.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] where the listing contradicts itself.
    pub fn fields(&self, plan: &Plan) -> Result<Vec<&'static str>, QueryError> {
        let named = plan.conditions.iter().map(|c| c.field).chain(plan.order.iter().map(|key| key.field));
        let mut fields = self.group_by.to_vec();
        for name in named {
            fields.extend(self.column(name)?.from.fields());
        }
        fields.extend(self.columns.iter().flat_map(|column| column.from.fields()));
        fields.sort_unstable();
        fields.dedup();
        Ok(fields)
    }

    /// The rows of the window, out of a table with [`Self::fields`].
    ///
    /// # Errors
    /// What a look-up or the deadline reports; [`QueryError::Declaration`] for a field that the table lacks.
    pub fn answer(
        &self,
        plan: &Plan,
        window: Window,
        table: &Table,
        ranks: &dyn RankSource,
        deadline: &Deadline,
    ) -> Result<Page, QueryError> {
        let frame = Frame::new(table, self.group_by, ranks, deadline)?;
        let units = self.passing(plan, &frame, deadline)?;
        let count = units.len();
        let shown = if window.limit == 0 || window.offset >= count {
            Vec::new()
        } else {
            let sortings = self.sortings(plan, &frame, &units)?;
            let picked = order::select(count, &sortings, window.offset, window.limit);
            picked.into_iter().map(|at| units[at as usize]).collect()
        };
        let columns = self
            .columns
            .iter()
            .map(|column| {
                Ok((
                    column.name,
                    match column.from {
                        Compute::RowNumber => row_numbers(window.offset, shown.len()),
                        from => frame.column(from, &shown)?,
                    },
                ))
            })
            .collect::<Result<Vec<_>, QueryError>>()?;
        Ok(Page { columns, rows: shown.len(), count })
    }

    /// The units that pass all conditions, those that cost a look-up tried last.
    fn passing(&self, plan: &Plan, frame: &Frame<'_>, deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
        let mut tests = plan
            .conditions
            .iter()
            .map(|condition| Ok((self.column(condition.field)?.from, &condition.test)))
            .collect::<Result<Vec<_>, QueryError>>()?;
        tests.sort_by_key(|(from, _)| from.is_lookup());
        let mut units: Vec<u32> = (0..frame.units() as u32).collect();
        for (from, test) in tests {
            let passing = test.passing(&frame.column(from, &units)?, deadline)?;
            units = passing.into_iter().map(|at| units[at as usize]).collect();
        }
        Ok(units)
    }

    fn sortings(&self, plan: &Plan, frame: &Frame<'_>, units: &[u32]) -> Result<Vec<Sorting>, QueryError> {
        let asked = plan.order.iter().map(|key| Ok((self.column(key.field)?.from, key.descending)));
        let ties = self.group_by.iter().map(|field| Ok((Compute::Field(field), false)));
        asked
            .chain(ties)
            .map(|sorting: Result<_, QueryError>| {
                let (from, descending) = sorting?;
                Ok(Sorting { column: frame.column(from, units)?, descending })
            })
            .collect()
    }
}

fn row_numbers(offset: usize, rows: usize) -> Column {
    // A row that is shown has a number below `u32::MAX`, since tables have no more rows.
    let first = offset.saturating_add(1) as u32;
    Column::new((first..).take(rows).collect(), Meaning::Number)
}

impl Page {
    /// How many rows are shown.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of a shown row with their names.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        self.columns.iter().map(move |(name, column)| (*name, column.value(row)))
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows))?;
        for row in 0..self.rows {
            rows.serialize_element(&Row { page: self, row })?;
        }
        rows.end()
    }
}

struct Row<'a> {
    page: &'a Page,
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(Some(self.page.columns.len()))?;
        for (name, value) in self.page.row(self.row) {
            cells.serialize_entry(name, &value)?;
        }
        cells.end()
    }
}
