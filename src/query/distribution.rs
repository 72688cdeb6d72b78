//! The first groups of a listing by name, and all others as one row.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::column::Value;
use super::frame::{Compute, Frame, percentage};
use super::listing::{Page, Window};
use super::lookup::LookUp;
use super::{Deadline, ListColumn, Listing, Plan, QueryError, Table};

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

impl Listing {
    /// The first `top` groups out of a table with [`Self::fields`], and the rest.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn distribution(
        &self,
        plan: &Plan,
        top: usize,
        table: &Table,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Distribution, QueryError> {
        let frame = Frame::new(table, self.group_by, look_up, deadline)?;
        let units = self.passing(plan, &frame, deadline)?;
        let window = Window { offset: 0, limit: top };
        let shown = self.shown(plan, &frame, &units, window)?;
        let links = |units: &[u32]| -> Result<u64, QueryError> {
            Ok(frame.column(Compute::Count, units)?.cells().iter().copied().map(u64::from).sum())
        };
        let rest = if units.len() > shown.len() {
            let links = links(&units)? - links(&shown)?;
            Some(Rest { links, percentage: percentage(links, table.rows() as u64) })
        } else {
            None
        };
        let first = self.page(plan, &frame, &shown, window, units.len())?;
        Ok(Distribution { first, rest, columns: self.columns })
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
