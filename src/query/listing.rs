//! A listing: the declaration of a list endpoint, and how it is answered.
//!
//! The unique key that decides ties needs no declaration: rows of their own stand in the order of the store's
//! keys (target, source, link), groups in the order of the values they are made by.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::{Column, Kind, Meaning, Value};
use super::field::{BACKLINK_FIELDS, Field, OUTGOING_FIELDS, PAGE_FIELDS, find};
use super::filter::{self, Condition};
use super::frame::{Compute, Frame};
use super::lookup::LookUp;
use super::order::{self, OrderKey, Sorting};
use super::{Deadline, QueryError, Table};

/// What the rows of a listing are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// External links into the scope.
    Backlinks,
    /// Active external links on the scope's pages.
    Outgoing,
    /// The scope's pages that were ever answered.
    Pages,
}

impl Rows {
    fn kind_of(self, field: &str) -> Option<Kind> {
        match self {
            Self::Backlinks => find(BACKLINK_FIELDS, field).map(Field::kind),
            Self::Outgoing => find(OUTGOING_FIELDS, field).map(Field::kind),
            Self::Pages => find(PAGE_FIELDS, field).map(Field::kind),
        }
    }
}

/// A named column of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    pub name: &'static str,
    pub from: Compute,
}

/// The declaration of a list endpoint. Fields to order and filter by name columns.
#[derive(Debug)]
pub struct Listing {
    pub rows: Rows,
    /// Fields whose equal values make a group; none: every row stands for itself.
    pub group_by: &'static [&'static str],
    /// Groups in which this field is unknown are left out.
    pub known: Option<&'static str>,
    /// The columns that answers show, in this order.
    pub columns: &'static [ListColumn],
    pub order_fields: &'static [&'static str],
    /// As `order[]` writes it.
    pub default_order: &'static [&'static str],
    /// None: the list takes no `where`.
    pub where_fields: &'static [&'static str],
    /// Whether lost links can be asked for.
    pub shows_lost: bool,
}

/// A question to a listing, checked before any row is read.
#[derive(Debug)]
pub struct Plan {
    conditions: Vec<Condition>,
    order: Vec<OrderKey>,
    /// The columns to show: at first all.
    pub columns: Vec<ListColumn>,
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
    /// A listing of every backlink, without columns: what a declaration leaves out.
    pub const BACKLINKS: Self = Self {
        rows: Rows::Backlinks,
        group_by: &[],
        known: None,
        columns: &[],
        order_fields: &[],
        default_order: &[],
        where_fields: &[],
        shows_lost: false,
    };

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
        let filter = filter.unwrap_or_default();
        let conditions = if fields.is_empty() { Vec::new() } else { filter::parse(filter, &fields)? };
        let (mut order, mut warnings) = order::parse(order, self.order_fields);
        if order.is_empty() {
            order = order::parse(self.default_order.iter().copied(), self.order_fields).0;
        }
        if fields.is_empty() && !filter.is_empty() {
            warnings.push("where was ignored, since nothing can be filtered here; leave it away".to_owned());
        }
        Ok(Plan { conditions, order, columns: self.columns.to_vec(), warnings })
    }

    /// The column of a name.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] when there is none.
    pub fn column(&self, name: &str) -> Result<ListColumn, QueryError> {
        self.columns
            .iter()
            .find(|column| column.name == name)
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
        let mut fields: Vec<_> = self.group_by.iter().copied().chain(self.known).collect();
        for name in named {
            fields.extend(self.column(name)?.from.fields());
        }
        fields.extend(plan.columns.iter().flat_map(|column| column.from.fields()));
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
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Page, QueryError> {
        let frame = Frame::new(table, self.group_by, look_up, deadline)?;
        let units = self.passing(plan, &frame, deadline)?;
        let shown = self.shown(plan, &frame, &units, window)?;
        self.page(plan, &frame, &shown, window, units.len())
    }

    /// As [`Self::answer`], handed out in pages of at most `piece` rows; in one without rows where there are none.
    /// Rows are picked once, cells worked out page by page.
    ///
    /// # Errors
    /// As [`Self::answer`], and what `each` reports.
    pub fn pieces<E: From<QueryError>>(
        &self,
        plan: &Plan,
        window: Window,
        piece: usize,
        (table, look_up, deadline): (&Table, &dyn LookUp, &Deadline),
        mut each: impl FnMut(Page) -> Result<(), E>,
    ) -> Result<(), E> {
        let frame = Frame::new(table, self.group_by, look_up, deadline)?;
        let units = self.passing(plan, &frame, deadline)?;
        let shown = self.shown(plan, &frame, &units, window)?;
        let mut offset = window.offset;
        loop {
            let rest = &shown[offset - window.offset..];
            let rows = &rest[..rest.len().min(piece)];
            each(self.page(plan, &frame, rows, Window { offset, ..window }, units.len())?)?;
            offset += rows.len();
            if rows.len() == rest.len() {
                return Ok(());
            }
        }
    }

    /// Those of the units that stand in the window.
    pub(super) fn shown(
        &self,
        plan: &Plan,
        frame: &Frame<'_>,
        units: &[u32],
        window: Window,
    ) -> Result<Vec<u32>, QueryError> {
        if window.limit == 0 || window.offset >= units.len() {
            return Ok(Vec::new());
        }
        let sortings = self.sortings(plan, frame, units)?;
        let picked = order::select(units.len(), &sortings, window.offset, window.limit);
        Ok(picked.into_iter().map(|at| units[at as usize]).collect())
    }

    /// The plan's columns of the units shown.
    pub(super) fn page(
        &self,
        plan: &Plan,
        frame: &Frame<'_>,
        shown: &[u32],
        window: Window,
        count: usize,
    ) -> Result<Page, QueryError> {
        let cells = |from| match from {
            Compute::RowNumber => Ok(row_numbers(window.offset, shown.len())),
            from => frame.column(from, shown),
        };
        let columns = plan.columns.iter().map(|column| Ok((column.name, cells(column.from)?)));
        Ok(Page { columns: columns.collect::<Result<_, QueryError>>()?, rows: shown.len(), count })
    }

    /// The units that pass all conditions, those that cost a look-up tried last.
    pub(super) fn passing(
        &self,
        plan: &Plan,
        frame: &Frame<'_>,
        deadline: &Deadline,
    ) -> Result<Vec<u32>, QueryError> {
        let mut tests = plan
            .conditions
            .iter()
            .map(|condition| Ok((self.column(condition.field)?.from, &condition.test)))
            .collect::<Result<Vec<_>, QueryError>>()?;
        tests.sort_by_key(|(from, _)| from.is_lookup());
        let mut units = frame.all();
        if let Some(field) = self.known {
            let column = frame.column(Compute::Field(field), &units)?;
            units.retain(|&unit| !column.value(unit as usize).is_unknown());
        }
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

    /// The shown rows, each of which serialises as an object.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|row| Row { page: self, row })
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A shown row. Serialises as an object.
#[derive(Debug)]
pub struct Row<'a> {
    page: &'a Page,
    row: usize,
}

impl Row<'_> {
    /// The cells, in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        self.page.columns.iter().map(|(_, column)| column.value(self.row))
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(Some(self.page.columns.len()))?;
        for (name, column) in &self.page.columns {
            cells.serialize_entry(name, &column.value(self.row))?;
        }
        cells.end()
    }
}
