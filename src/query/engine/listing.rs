//! Listings: the declarations of list endpoints, and the plans of queries to them.
//!
//! Ties need no declaration: rows are ordered by the key of the store (target, source, link), groups by the value of
//! their field.

use std::ops::RangeInclusive;

use super::column::ValueType;
use super::expression::ColumnExpr;
use super::fields::RowKind;
use super::filter::formula::{Condition, Formula};
use super::filter::{self, WhereLimits};
use super::order::{self, OrderKey};
use crate::model::Day;
use crate::query::QueryError;

/// A named column of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    pub name: &'static str,
    pub from: ColumnExpr,
}

/// The declaration of a list endpoint. Rows can be ordered and filtered by every column but row numbers. A test of the
/// endpoint table checks each declaration.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// A unique name. Cached views are stored under it.
    pub name: &'static str,
    pub rows: RowKind,
    /// The field by which rows are grouped. A column must show it. `None`: rows are not grouped.
    pub group_by: Option<&'static str>,
    /// Groups with an unknown value of this field are left out.
    pub requires_known: Option<&'static str>,
    /// Rows whose value of this flag is false are left out.
    pub only: Option<ColumnExpr>,
    /// Of the matching rows with equal values of this column, only the first in the default order is kept.
    pub first_per: Option<&'static str>,
    /// The columns of the answer, in their order.
    pub columns: &'static [ListColumn],
    /// Columns that answers do not show, but by which rows can be ordered and filtered.
    pub hidden_columns: &'static [ListColumn],
    /// The default order, written as in `order[]`. Without one, the rows stay in their own order.
    pub default_order: &'static [&'static str],
    /// Whether lost links can be requested.
    pub shows_lost: bool,
}

/// The columns whose values are counted, and how many values of each are shown.
#[derive(Clone, Debug, Default)]
pub struct FacetPlan {
    pub columns: Vec<ListColumn>,
    pub max_values: usize,
}

/// A query to a listing, checked before any row is read.
#[derive(Debug)]
pub struct Plan {
    /// Formulas that all hold for the rows.
    pub(in crate::query) conditions: Vec<Formula>,
    pub(in crate::query) order: Vec<OrderKey>,
    in_default_order: bool,
    /// The columns to show; at first all of them.
    pub columns: Vec<ListColumn>,
    /// The columns whose most frequent values are counted; at first none.
    pub facets: FacetPlan,
    /// Which parts of the query were ignored, and why.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Adds the condition that the day in a column lies within the range.
    pub fn within(&mut self, field: &'static str, days: &RangeInclusive<Day>) {
        self.conditions.extend(Condition::within(field, days).map(Formula::Condition));
    }

    /// Leaves the rows in their own order, whatever the request says.
    pub fn keep_row_order(&mut self) {
        self.order.clear();
        self.in_default_order = true;
    }

    /// Whether a condition, the order or a facet uses a column.
    pub(in crate::query) fn uses_column(&self, column: &str) -> bool {
        self.conditions.iter().any(|formula| formula.uses(column))
            || self.order.iter().any(|key| key.column == column)
            || self.facets.columns.iter().any(|facet| facet.name == column)
    }

    /// Whether the plan selects all rows in the default order, and counts no values.
    pub(in crate::query) fn shows_all_in_default_order(&self) -> bool {
        self.conditions.is_empty() && self.in_default_order && self.facets.columns.is_empty()
    }
}

impl Listing {
    /// A listing of all backlinks without columns. Declarations use it for the values that they do not set.
    pub const DEFAULT: Self = Self {
        name: "",
        rows: RowKind::Backlinks,
        group_by: None,
        requires_known: None,
        only: None,
        first_per: None,
        columns: &[],
        hidden_columns: &[],
        default_order: &[],
        shows_lost: false,
    };

    /// Parses the texts of `where` and `order[]`, within the default limits.
    ///
    /// # Errors
    /// [`QueryError::Where`] for an invalid `where`.
    pub fn plan<'t>(
        &self,
        filter: Option<&str>,
        order: impl Iterator<Item = &'t str>,
    ) -> Result<Plan, QueryError> {
        self.plan_within(filter, order, WhereLimits::default())
    }

    /// Parses the texts of `where` and `order[]`.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_within<'t>(
        &self,
        filter: Option<&str>,
        order: impl Iterator<Item = &'t str>,
        limits: WhereLimits,
    ) -> Result<Plan, QueryError> {
        let fields: Vec<(&str, ValueType)> = self.filter_fields().collect();
        let conditions = filter::parse(filter.unwrap_or_default(), &fields, limits)?;
        let (mut order, warnings) = order::parse_order(order, &self.order_fields());
        if order.is_empty() {
            order = self.default_keys();
        }
        let in_default_order = order == self.default_keys();
        let columns = self.columns.to_vec();
        Ok(Plan { conditions, order, in_default_order, columns, facets: FacetPlan::default(), warnings })
    }

    /// Whether a `where` text has any condition.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn check_filter(&self, filter: &str, limits: WhereLimits) -> Result<bool, QueryError> {
        let fields: Vec<(&str, ValueType)> = self.filter_fields().collect();
        Ok(!filter::parse(filter, &fields, limits)?.is_empty())
    }

    /// The fields that `where` may name, with the types of their values.
    pub fn filter_fields(&self) -> impl Iterator<Item = (&'static str, ValueType)> {
        self.usable_columns().filter_map(|column| Some((column.name, self.value_type(column)?)))
    }

    /// The fields that `order[]` may name.
    pub fn order_fields(&self) -> Vec<&'static str> {
        self.usable_columns().map(|column| column.name).collect()
    }

    /// The columns by which rows can be ordered and filtered, and whose values can be counted.
    pub fn usable_columns(&self) -> impl Iterator<Item = ListColumn> {
        let all = self.columns.iter().chain(self.hidden_columns).copied();
        all.filter(|column| column.from != ColumnExpr::RowNumber)
    }

    /// The column with this name, if there is one.
    pub fn column(&self, name: &str) -> Option<ListColumn> {
        self.columns.iter().chain(self.hidden_columns).find(|column| column.name == name).copied()
    }

    /// The type of a column's values; `None` if the column reads a field that the rows do not have.
    pub fn value_type(&self, column: ListColumn) -> Option<ValueType> {
        column.from.value_type(|field| self.rows.value_type_of(field))
    }

    /// The order that applies without `order[]`.
    pub(in crate::query) fn default_keys(&self) -> Vec<OrderKey> {
        order::parse_order(self.default_order.iter().copied(), &self.order_fields()).0
    }

    /// Whether the listing shows the rows of a row set unchanged and in their stored order.
    pub(in crate::query) fn shows_stored_rows(&self) -> bool {
        let plain = |column: &ListColumn| matches!(column.from, ColumnExpr::Field(_) | ColumnExpr::RowNumber);
        self.group_by.is_none()
            && self.only.is_none()
            && self.first_per.is_none()
            && self.default_order == self.rows.stored_order()
            && self.columns.iter().chain(self.hidden_columns).all(plain)
    }

    /// Whether this holds for the expression of any column, shown or hidden.
    pub(in crate::query) fn any_column(&self, depends: fn(ColumnExpr) -> bool) -> bool {
        self.columns.iter().chain(self.hidden_columns).any(|column| depends(column.from))
    }
}
