//! Rows put together by equal values of one or more columns.
//!
//! A group is named by a number, in the order in which the scan first meets it.

use rustc_hash::FxHashMap;

use super::column::Column;

/// Which group each row is in.
#[derive(Debug, Default)]
pub struct Groups {
    /// The group of each row.
    pub of_row: Vec<u32>,
    /// The first row of each group.
    pub first_row: Vec<u32>,
    /// How many rows each group has.
    pub sizes: Vec<u32>,
}

impl Groups {
    /// Groups `rows` rows by equal cells of all the columns. Without a column, all rows are one group.
    pub fn by(columns: &[&Column], rows: usize) -> Self {
        let mut of_row = vec![0; rows];
        for column in columns {
            refine(&mut of_row, column.cells());
        }
        let mut groups = Self { of_row, ..Self::default() };
        for (row, &group) in groups.of_row.iter().enumerate() {
            let group = group as usize;
            if group == groups.sizes.len() {
                groups.first_row.push(row as u32);
                groups.sizes.push(0);
            }
            groups.sizes[group] += 1;
        }
        groups
    }

    pub fn len(&self) -> usize {
        self.sizes.len()
    }
}

/// Splits the groups by the cells of one more column, and numbers them anew in the order of their first rows.
fn refine(of_row: &mut [u32], cells: &[u32]) {
    let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
    for (group, &cell) in of_row.iter_mut().zip(cells) {
        let next = numbers.len() as u32;
        *group = *numbers.entry(u64::from(*group) << 32 | u64::from(cell)).or_insert(next);
    }
}
