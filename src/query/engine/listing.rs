//! Listings: the declarations of list endpoints, and the plans of queries to them.
//!
//! The unique key that breaks ties needs no declaration. Rows are ordered by the keys of the store (target,
//! source, link), groups by the value of their field.

use std::ops::RangeInclusive;

use super::column::Kind;
use super::expression::ColumnExpr;
use super::fields::RowKind;
use super::filter::{self, Condition};
use super::order::{self, OrderKey};
use crate::model::Day;
use crate::query::QueryError;

/// A named column of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    pub name: &'static str,
    pub from: ColumnExpr,
}

/// The declaration of a list endpoint. Order and `where` fields are names of columns. A test of the endpoint table checks
/// each declaration.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// A unique name. Cached views are stored under it.
    pub name: &'static str,
    pub rows: RowKind,
    /// The field by which rows are grouped. A column must show it. `None`: rows are not grouped.
    pub group_by: Option<&'static str>,
    /// Groups whose value of this field is unknown are left out.
    pub known: Option<&'static str>,
    /// Rows whose value of this flag is false are left out.
    pub only: Option<ColumnExpr>,
    /// Of the matching rows with equal values of this column, only the first in the default order is kept.
    pub first_of: Option<&'static str>,
    /// The columns of the answer, in their order.
    pub columns: &'static [ListColumn],
    pub order_fields: &'static [&'static str],
    /// The default order, written as in `order[]`.
    pub default_order: &'static [&'static str],
    /// Empty: the list takes no `where`.
    pub where_fields: &'static [&'static str],
    /// Whether lost links can be requested.
    pub shows_lost: bool,
}

/// A query to a listing, checked before any row is read.
#[derive(Debug)]
pub struct Plan {
    pub(in crate::query) conditions: Vec<Condition>,
    pub(in crate::query) order: Vec<OrderKey>,
    in_default_order: bool,
    /// The columns to show; at first all of them.
    pub columns: Vec<ListColumn>,
    /// Which parts of the query were ignored, and why.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Adds the condition that the day in a column lies within the range.
    pub fn within(&mut self, field: &'static str, days: &RangeInclusive<Day>) {
        self.conditions.extend(Condition::within(field, days));
    }

    /// Whether a condition or the order uses a column.
    pub(in crate::query) fn uses_column(&self, column: &str) -> bool {
        self.conditions.iter().any(|condition| condition.field == column)
            || self.order.iter().any(|key| key.field == column)
    }

    /// Whether the plan selects all rows in the default order.
    pub(in crate::query) fn is_plain(&self) -> bool {
        self.conditions.is_empty() && self.in_default_order
    }
}

impl Listing {
    /// A listing of all backlinks without columns. Declarations use it for the values that they do not set.
    pub const BACKLINKS: Self = Self {
        name: "",
        rows: RowKind::Backlinks,
        group_by: None,
        known: None,
        only: None,
        first_of: None,
        columns: &[],
        order_fields: &[],
        default_order: &[],
        where_fields: &[],
        shows_lost: false,
    };

    /// Parses the texts of `where` and `order[]`.
    ///
    /// # Errors
    /// [`QueryError::Where`] for an invalid `where`.
    pub fn plan<'t>(
        &self,
        filter: Option<&str>,
        order: impl Iterator<Item = &'t str>,
    ) -> Result<Plan, QueryError> {
        let fields: Vec<(&str, Kind)> = self.filter_fields().collect();
        let filter = filter.unwrap_or_default();
        let conditions = if fields.is_empty() { Vec::new() } else { filter::parse(filter, &fields)? };
        let (mut order, mut warnings) = order::parse(order, self.order_fields);
        if order.is_empty() {
            order = self.default_keys();
        }
        if fields.is_empty() && !filter.is_empty() {
            warnings.push("where was ignored: this endpoint has no filterable fields".to_owned());
        }
        let in_default_order = order == self.default_keys();
        let columns = self.columns.to_vec();
        Ok(Plan { conditions, order, in_default_order, columns, warnings })
    }

    /// The fields that `where` may name, with the types of their values.
    pub fn filter_fields(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.where_fields.iter().filter_map(|&name| Some((name, self.kind(self.column(name)?)?)))
    }

    /// The column with this name, if there is one.
    pub fn column(&self, name: &str) -> Option<ListColumn> {
        self.columns.iter().find(|column| column.name == name).copied()
    }

    /// The type of a column's values; `None` if the column reads a field that the rows do not have.
    pub fn kind(&self, column: ListColumn) -> Option<Kind> {
        column.from.kind(|field| self.rows.kind_of(field))
    }

    /// The order that applies without `order[]`.
    pub(in crate::query) fn default_keys(&self) -> Vec<OrderKey> {
        order::parse(self.default_order.iter().copied(), self.order_fields).0
    }

    /// Whether the listing shows the rows of a row set unchanged and in their stored order.
    pub(in crate::query) fn shows_stored_rows(&self) -> bool {
        let plain = |column: &ListColumn| matches!(column.from, ColumnExpr::Field(_) | ColumnExpr::RowNumber);
        self.group_by.is_none()
            && self.only.is_none()
            && self.first_of.is_none()
            && self.default_order == self.rows.stored_order()
            && self.columns.iter().all(plain)
    }

    /// Whether this holds for the expression of any column.
    pub(in crate::query) fn any_column(&self, depends: fn(ColumnExpr) -> bool) -> bool {
        self.columns.iter().any(|column| depends(column.from))
    }
}
