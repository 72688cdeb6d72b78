//! One row for all that are alike: the strongest of them, and how many they are.

use rustc_hash::FxHashMap;

use super::QueryError;
use super::column::{Column, Meaning};
use super::frame::{Compute, Frame};

/// Which rows of a list stand for others. Of the rows with one value of the field `of`, only that with the highest
/// value of `by` is left; of equals, the first in key order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strongest {
    pub of: &'static str,
    pub by: Compute,
}

impl Frame<'_> {
    /// Those of the units that stand for the others, in the order of the units.
    pub(super) fn strongest(&self, rule: Strongest, units: &[u32]) -> Result<Vec<u32>, QueryError> {
        let alike = self.field(rule.of, units)?;
        let strengths = self.column(rule.by, units)?;
        let mut best: FxHashMap<u32, usize> = FxHashMap::default();
        for (at, &value) in alike.cells().iter().enumerate() {
            let so_far = best.entry(value).or_insert(at);
            if strengths.compare(at, *so_far).is_gt() {
                *so_far = at;
            }
        }
        let mut kept: Vec<u32> = best.into_values().map(|at| units[at]).collect();
        kept.sort_unstable();
        Ok(kept)
    }

    /// How many rows of the whole table have the value of the field that each unit has.
    pub(super) fn alike(&self, field: &str, units: &[u32]) -> Result<Column, QueryError> {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        for &value in self.table().column(field)?.cells() {
            *counts.entry(value).or_default() += 1;
        }
        let own = self.field(field, units)?;
        let cells = own.cells().iter().map(|value| counts.get(value).copied().unwrap_or(0));
        Ok(Column::new(cells.collect(), Meaning::Number))
    }
}
