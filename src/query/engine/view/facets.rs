//! Counts the values of columns among the rows of a view that match.

use std::cmp::Reverse;

use hashbrown::HashMap;

use super::View;
use crate::query::engine::column::Column;
use crate::query::engine::facet::Facet;
use crate::query::engine::filter::bitmap::Bitmap;
use crate::query::{Deadline, FacetPlan, ListColumn, QueryError};

impl View {
    /// The facets of the rows that match.
    ///
    /// # Errors
    /// [`QueryError::Deadline`]; [`QueryError::Declaration`] for a column that the view does not have.
    pub(in crate::query) fn facets(
        &self,
        plan: &FacetPlan,
        matching: Option<&Bitmap>,
        deadline: &Deadline,
    ) -> Result<Vec<Facet>, QueryError> {
        let facet = |column: &ListColumn| {
            let values = self.column(column.name)?;
            let mut counter = CellCounter::new(values);
            let first = self.rows.start;
            match matching {
                None => counter.count(first..first + self.rows(), values, deadline)?,
                Some(matching) => {
                    let rows = matching.rows_from(0).map(|row| first + row as usize);
                    counter.count(rows, values, deadline)?;
                }
            }
            let top = counter.most_frequent(values, plan.max_values, deadline)?;
            let shown: u64 = top.iter().map(|(_, rows)| u64::from(*rows)).sum();
            let (cells, rows) = top.into_iter().unzip();
            let others = self.count(matching) as u64 - shown;
            Ok(Facet { name: column.name, values: values.with_cells(cells), rows, others })
        };
        plan.columns.iter().map(facet).collect()
    }
}

/// The number of rows with each cell.
enum CellCounter {
    /// Indexed by code, for columns with a dictionary.
    Codes(Vec<u32>),
    Cells(HashMap<u32, u32>),
}

impl CellCounter {
    fn new(column: &Column) -> Self {
        let codes = column.dictionary_len();
        codes.map_or_else(|| Self::Cells(HashMap::new()), |codes| Self::Codes(vec![0; codes]))
    }

    fn count(
        &mut self,
        rows: impl Iterator<Item = usize>,
        column: &Column,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        for (at, row) in rows.enumerate() {
            deadline.check_at(at)?;
            let cell = column.cell(row);
            match self {
                Self::Codes(counts) => counts[cell as usize] += 1,
                Self::Cells(counts) => *counts.entry(cell).or_default() += 1,
            }
        }
        Ok(())
    }

    /// The cells with most rows, most rows first. Of equals the lowest value comes first.
    fn most_frequent(
        self,
        column: &Column,
        most: usize,
        deadline: &Deadline,
    ) -> Result<Vec<(u32, u32)>, QueryError> {
        let all: Box<dyn Iterator<Item = (u32, u32)>> = match self {
            Self::Codes(counts) => Box::new((0..).zip(counts)),
            Self::Cells(counts) => Box::new(counts.into_iter()),
        };
        let rank = |&(cell, rows): &(u32, u32)| (Reverse(rows), column.decode(cell));
        let mut top: Vec<(u32, u32)> = Vec::with_capacity(most + 1);
        for (at, counted) in all.enumerate() {
            deadline.check_at(at)?;
            let is_beaten = || top.last().is_none_or(|last| rank(last) < rank(&counted));
            if counted.1 == 0 || (top.len() == most && is_beaten()) {
                continue;
            }
            let place = top.partition_point(|better| rank(better) < rank(&counted));
            top.insert(place, counted);
            top.truncate(most);
        }
        Ok(top)
    }
}
