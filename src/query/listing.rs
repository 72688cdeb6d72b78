//! A listing: the declaration of a list endpoint, and a question to it.
//!
//! The unique key that decides ties needs no declaration: rows of their own stand in the order of the store's
//! keys (target, source, link), groups in the order of the values they are made by.

use std::ops::RangeInclusive;

use super::QueryError;
use super::column::Kind;
use super::compute::Compute;
use super::field::Rows;
use super::filter::{self, Condition};
use super::order::{self, OrderKey};
use crate::model::Day;

/// A named column of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    pub name: &'static str,
    pub from: Compute,
}

/// The declaration of a list endpoint. Fields to order and filter by name columns.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// A name of its own, by which its rows are kept.
    pub name: &'static str,
    pub rows: Rows,
    /// A field whose equal values make a group, which a column shows; none: every row stands for itself.
    pub group_by: Option<&'static str>,
    /// Groups in which this field is unknown are left out.
    pub known: Option<&'static str>,
    /// Rows of which this flag is false are left out.
    pub only: Option<Compute>,
    /// Of the rows that pass and have one value of this field, only the first in the default order is left.
    pub first_of: Option<&'static str>,
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
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<OrderKey>,
    in_default_order: bool,
    /// The columns to show: at first all.
    pub columns: Vec<ListColumn>,
    /// What was ignored, and why.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Asks besides that the day in a column lies within the range.
    pub fn within(&mut self, field: &'static str, days: &RangeInclusive<Day>) {
        self.conditions.extend(Condition::within(field, days));
    }

    /// Whether a column decides which rows are shown, or in what order.
    pub(super) fn uses(&self, column: &str) -> bool {
        self.conditions.iter().any(|condition| condition.field == column)
            || self.order.iter().any(|key| key.field == column)
    }

    /// Whether it asks for all rows in the default order.
    pub(super) fn is_plain(&self) -> bool {
        self.conditions.is_empty() && self.in_default_order
    }
}

impl Listing {
    /// A listing of every backlink, without columns: what a declaration leaves out.
    pub const BACKLINKS: Self = Self {
        name: "",
        rows: Rows::Backlinks,
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
            order = self.default_keys();
        }
        if fields.is_empty() && !filter.is_empty() {
            warnings.push("where was ignored, since nothing can be filtered here; leave it away".to_owned());
        }
        let in_default_order = order == self.default_keys();
        let columns = self.columns.to_vec();
        Ok(Plan { conditions, order, in_default_order, columns, warnings })
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

    /// The order without `order[]`.
    pub(super) fn default_keys(&self) -> Vec<OrderKey> {
        order::parse(self.default_order.iter().copied(), self.order_fields).0
    }

    /// Whether its rows are rows of a base, as these stand.
    pub(super) fn shows_base(&self) -> bool {
        let plain = |column: &ListColumn| matches!(column.from, Compute::Field(_) | Compute::RowNumber);
        self.group_by.is_none()
            && self.only.is_none()
            && self.first_of.is_none()
            && self.default_order == self.rows.stored_order()
            && self.columns.iter().all(plain)
    }

    /// Whether a column is worked out from what other domains, or other pages of this one, are like.
    pub(super) fn looks_beyond(&self, looks: fn(Compute) -> bool) -> bool {
        self.columns.iter().any(|column| looks(column.from))
    }
}
