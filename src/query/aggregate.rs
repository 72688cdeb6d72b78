//! What can be said of a group: counts, distinct counts, the commonest value.
//!
//! Every function answers for some of the groups, in the order in which they are named, and reads only the rows
//! of these.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use super::column::{Column, Value};
use super::groups::Groups;

/// Marks a group that was not asked for.
const NOT_ASKED: u32 = u32::MAX;

/// Some groups of a table, in an order of their own.
pub struct Asked<'a> {
    groups: &'a Groups,
    /// The place of each group in the answer.
    place: Vec<u32>,
    len: usize,
}

impl<'a> Asked<'a> {
    pub fn new(groups: &'a Groups, asked: &[u32]) -> Self {
        let mut place = vec![NOT_ASKED; groups.len()];
        for (at, &group) in asked.iter().enumerate() {
            place[group as usize] = at as u32;
        }
        Self { groups, place, len: asked.len() }
    }

    /// The rows of the groups asked for: (row, place of its group in the answer).
    fn rows(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let places = self.groups.of_row.iter().map(|&group| self.place[group as usize]);
        places.enumerate().filter(|&(_, place)| place != NOT_ASKED)
    }

    /// How many different values the column has in each group. Unknown values do not count.
    pub fn distinct(&self, column: &Column) -> Vec<u32> {
        let mut seen = FxHashSet::default();
        let mut counts = vec![0; self.len];
        for (row, place) in self.rows() {
            let cell = column.cells()[row];
            if seen.insert(pair(place, cell)) && !column.meaning_of(cell).is_unknown() {
                counts[place as usize] += 1;
            }
        }
        counts
    }

    /// How many rows of each group have the flag.
    pub fn flagged(&self, flag: &Column) -> Vec<u32> {
        let mut counts = vec![0; self.len];
        for (row, place) in self.rows() {
            counts[place as usize] += flag.cells()[row];
        }
        counts
    }

    /// The cell that most rows of each group have. An unknown value is chosen only where there is no other; of
    /// values that are equally common, the lowest is.
    pub fn commonest(&self, column: &Column) -> Vec<u32> {
        self.commonest_where(column, |_, _| true)
    }

    /// As [`Self::commonest`], among the rows that have the commonest value of the column `beside`.
    pub fn commonest_beside(&self, column: &Column, beside: &Column) -> Vec<u32> {
        let chosen = self.commonest(beside);
        self.commonest_where(column, |row, place| beside.cells()[row] == chosen[place as usize])
    }

    fn commonest_where(&self, column: &Column, counts: impl Fn(usize, u32) -> bool) -> Vec<u32> {
        let mut sizes: FxHashMap<u64, u32> = FxHashMap::default();
        for (row, place) in self.rows() {
            if counts(row, place) {
                *sizes.entry(pair(place, column.cells()[row])).or_default() += 1;
            }
        }
        let mut best: Vec<Option<(Standing<'_>, u32)>> = vec![None; self.len];
        for (pair, size) in sizes {
            let (place, cell) = ((pair >> 32) as usize, pair as u32);
            let value = column.meaning_of(cell);
            let standing = (!value.is_unknown(), size, Reverse(value));
            if best[place].is_none_or(|(other, _)| standing > other) {
                best[place] = Some((standing, cell));
            }
        }
        // Every group has a row, and so a commonest value.
        best.into_iter().map(|best| best.map_or(0, |(_, cell)| cell)).collect()
    }
}

/// What decides between two values: known before unknown, then by number of rows, then the lower value.
type Standing<'a> = (bool, u32, Reverse<Value<'a>>);

fn pair(place: u32, cell: u32) -> u64 {
    u64::from(place) << 32 | u64::from(cell)
}
