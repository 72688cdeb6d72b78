//! The first groups of a listing by name, and all others as one row.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::column::Value;
use super::compute::{Compute, percentage};
use super::view::no_other;
use super::{Deadline, ListColumn, Page, Plan, QueryError, View, Window};

/// What stands for the name of the groups that are not shown.
const OTHERS: &str = "others";

/// The first groups in the order asked for and, where there are more, one row for the rest. Serialises as an array
/// of objects.
#[derive(Debug)]
pub struct Distribution {
    first: Page,
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
    /// The first `top` groups and the rest.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn distribution(
        &self,
        plan: &Plan,
        top: usize,
        deadline: &Deadline,
    ) -> Result<Distribution, QueryError> {
        let passing = self.passing(plan, deadline)?;
        let shown = self.shown(plan, passing.as_ref(), Window { offset: 0, limit: top }, deadline)?;
        let listing = self.listing();
        let counted = listing.columns.iter().find(|column| column.from == Compute::Count);
        let counted = counted.ok_or_else(|| QueryError::Declaration(listing.name.to_owned()))?;
        let links = self.column(counted.name)?;
        let sum = |rows: &mut dyn Iterator<Item = u32>| {
            rows.enumerate().try_fold(0, |sum, (at, row)| {
                deadline.check_at(at)?;
                Ok::<u64, QueryError>(sum + u64::from(links.cell(row as usize)))
            })
        };
        let count = self.count(passing.as_ref());
        let rest = if count > shown.len() {
            let all = match &passing {
                Some(passing) => sum(&mut passing.rows_from(0))?,
                // Every link is in one of the groups.
                None if listing.known.is_none() => self.links,
                None => sum(&mut (0..count as u32))?,
            };
            let links = all - sum(&mut shown.iter().copied())?;
            Some(Rest { links, percentage: percentage(links, self.links) })
        } else {
            None
        };
        let first = self.show(plan, &shown, 0, count, deadline, no_other)?;
        Ok(Distribution { first, rest, columns: listing.columns })
    }
}

impl Distribution {
    /// How many rows there are, that of the rest included.
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
                Compute::Count => cells.serialize_entry(column.name, &self.rest.links)?,
                Compute::Percentage => {
                    cells.serialize_entry(column.name, &Value::Hundredths(self.rest.percentage))?;
                }
                Compute::Field(_) => cells.serialize_entry(column.name, OTHERS)?,
                // Domains of several groups do not add up.
                _ => cells.serialize_entry(column.name, &0)?,
            }
        }
        cells.serialize_entry("rest", &true)?;
        cells.end()
    }
}
