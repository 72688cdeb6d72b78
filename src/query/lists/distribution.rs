//! Distributions: the first groups of a listing, and all others as one row.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::query::engine::column::Value;
use crate::query::engine::expression::{ColumnExpr, percentage};
use crate::query::engine::view::missing_column;
use crate::query::{Deadline, ListColumn, Plan, QueryError, RowPage, View, Window};

/// The name of the row that sums up the other groups.
const OTHERS: &str = "others";

/// The first groups in the order of the plan and, if there are more, one row that sums up the others.
/// Serializes as an array of objects.
#[derive(Debug)]
pub struct Distribution {
    first: RowPage,
    rest: Option<Rest>,
    columns: &'static [ListColumn],
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    links: u64,
    /// In hundredths.
    percentage: u32,
}

impl View {
    /// The first `top` groups, and the sum of the others.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn distribution(
        &self,
        plan: &Plan,
        top: usize,
        deadline: &Deadline,
    ) -> Result<Distribution, QueryError> {
        let matching = self.matching_rows(plan, deadline)?;
        let window_rows =
            self.window_rows(plan, matching.as_ref(), Window { offset: 0, limit: top }, deadline)?;
        let listing = self.listing();
        let counted = listing.columns.iter().find(|column| column.from == ColumnExpr::Count);
        let counted = counted.ok_or_else(|| QueryError::Declaration(listing.name.to_owned()))?;
        let links = self.column(counted.name)?;
        let sum = |rows: &mut dyn Iterator<Item = u32>| {
            rows.enumerate().try_fold(0, |sum, (at, row)| {
                deadline.check_at(at)?;
                Ok::<u64, QueryError>(sum + u64::from(links.cell(row as usize)))
            })
        };
        let count = self.count(matching.as_ref());
        let rest = if count > window_rows.len() {
            let all = match &matching {
                Some(matching) => sum(&mut matching.rows_from(0))?,
                // Every link belongs to one of the groups.
                None if listing.requires_known.is_none() => self.links,
                None => sum(&mut (0..count as u32))?,
            };
            let links = all - sum(&mut window_rows.iter().copied())?;
            Some(Rest { links, percentage: percentage(links, self.links) })
        } else {
            None
        };
        let first = self.page_of_rows(plan, &window_rows, 0, count, deadline, missing_column)?;
        Ok(Distribution { first, rest, columns: listing.columns })
    }
}

impl Distribution {
    /// The number of rows, including the sum of the others.
    pub fn rows(&self) -> usize {
        self.first.rows() + usize::from(self.rest.is_some())
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows()))?;
        for row in self.first.iter() {
            rows.serialize_element(&row)?;
        }
        if let Some(rest) = self.rest {
            rows.serialize_element(&RestRow { rest, columns: self.columns })?;
        }
        rows.end()
    }
}

struct RestRow {
    rest: Rest,
    columns: &'static [ListColumn],
}

impl Serialize for RestRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(Some(self.columns.len() + 1))?;
        for column in self.columns {
            match column.from {
                ColumnExpr::Count => cells.serialize_entry(column.name, &self.rest.links)?,
                ColumnExpr::Percentage => {
                    cells.serialize_entry(column.name, &Value::Hundredths(self.rest.percentage))?;
                }
                ColumnExpr::Field(_) => cells.serialize_entry(column.name, OTHERS)?,
                // Distinct domains of several groups do not add up.
                _ => cells.serialize_entry(column.name, &0)?,
            }
        }
        cells.serialize_entry("rest", &true)?;
        cells.end()
    }
}
