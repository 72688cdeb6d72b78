//! `order[]`: which fields, in which direction, and the rows of one page in that order.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::column::Column;

/// One field to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub field: &'static str,
    pub descending: bool,
}

/// Reads the texts of `order[]` against the fields allowed. What is not allowed is passed over and returned with
/// the reason.
pub fn parse<'t>(
    texts: impl Iterator<Item = &'t str>,
    allowed: &[&'static str],
) -> (Vec<OrderKey>, Vec<String>) {
    let mut keys = Vec::new();
    let mut warnings = Vec::new();
    for text in texts {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        match allowed.iter().find(|field| **field == name) {
            Some(field) => keys.push(OrderKey { field, descending }),
            None => warnings.push(format!(
                "order field \"{text}\" was ignored; use one of {}, with - before it for descending order",
                allowed.join(", ")
            )),
        }
    }
    (keys, warnings)
}

/// A column to compare rows by.
#[derive(Clone, Debug)]
pub struct Sorting {
    pub column: Column,
    pub descending: bool,
}

/// Rows from which on sorting is shared among threads.
const PARALLEL: usize = 1 << 14;

/// The rows in the order of the sortings, row numbers deciding ties.
pub fn sort(mut rows: Vec<u32>, sortings: &[Sorting]) -> Vec<u32> {
    if matches!(sortings.len(), 1 | 2) && sortings.iter().all(|sorting| sorting.column.codes().is_none()) {
        // Two numbers fit into one, which sorts several times as fast.
        let key = |row| sortings.iter().fold(0, |key, sorting| key << 32 | u64::from(sorting.number(row)));
        let mut keyed: Vec<(u64, u32)> = rows.iter().map(|&row| (key(row), row)).collect();
        if keyed.len() < PARALLEL {
            keyed.sort_unstable()
        } else {
            keyed.par_sort_unstable()
        }
        return keyed.into_iter().map(|(_, row)| row).collect();
    }
    let compare = |a: &u32, b: &u32| compare(sortings, *a, *b);
    if rows.len() < PARALLEL {
        rows.sort_unstable_by(compare)
    } else {
        rows.par_sort_unstable_by(compare)
    }
    rows
}

/// Those of the rows that stand from `offset` up to `offset + limit` in the order of the sortings. Only these are
/// sorted; the others are merely put aside.
pub fn select(mut rows: Vec<u32>, sortings: &[Sorting], offset: usize, limit: usize) -> Vec<u32> {
    let end = offset.saturating_add(limit).min(rows.len());
    if offset >= end {
        return Vec::new();
    }
    let compare = |a: &u32, b: &u32| compare(sortings, *a, *b);
    if end < rows.len() {
        rows.select_nth_unstable_by(end, compare);
        rows.truncate(end);
    }
    if offset > 0 {
        rows.select_nth_unstable_by(offset, compare);
        rows.drain(..offset);
    }
    sort(rows, sortings)
}

fn compare(sortings: &[Sorting], a: u32, b: u32) -> Ordering {
    for Sorting { column, descending } in sortings {
        let order = column.compare(a as usize, b as usize);
        if order != Ordering::Equal {
            return if *descending { order.reverse() } else { order };
        }
    }
    a.cmp(&b)
}

impl Sorting {
    /// A number that sorts as the row does, for a column without a dictionary.
    fn number(&self, row: u32) -> u32 {
        let cell = self.column.cell(row as usize);
        if self.descending { !cell } else { cell }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::column::Meaning;

    #[test]
    fn what_is_not_allowed_is_passed_over() {
        let (keys, warnings) = parse(["-sr", "foo", "", "--sr", "extL"].into_iter(), &["sr", "extL"]);
        let shown: Vec<_> = keys.iter().map(|key| (key.field, key.descending)).collect();
        assert_eq!(shown, [("sr", true), ("extL", false)]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].contains("\"foo\"") && warnings[0].contains("sr, extL"), "{}", warnings[0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any window of the selection is that window of everything, sorted.
        #[test]
        fn a_window_is_a_part_of_the_whole_order(
            rows in proptest::collection::vec((0u32..4, 0u32..4), 0..40),
            directions in (any::<bool>(), any::<bool>()),
            offset in 0usize..50,
            limit in 0usize..50,
        ) {
            let sorting = |cells: Vec<u32>, descending| Sorting {
                column: Column::new(cells, Meaning::Number), descending,
            };
            let sortings = [
                sorting(rows.iter().map(|row| row.0).collect(), directions.0),
                sorting(rows.iter().map(|row| row.1).collect(), directions.1),
            ];
            let mut whole: Vec<u32> = (0..rows.len() as u32).collect();
            whole.sort_by_key(|&row| {
                let signed = |value: u32, down: bool| if down { -i64::from(value) } else { i64::from(value) };
                let (a, b) = rows[row as usize];
                (signed(a, directions.0), signed(b, directions.1))
            });
            let window: Vec<u32> = whole.into_iter().skip(offset).take(limit).collect();
            let all = || (0..rows.len() as u32).collect::<Vec<u32>>();
            prop_assert_eq!(select(all(), &sortings, offset, limit), window);
            let by_text = Sorting { column: Column::of_texts(rows.iter().map(|_| "")), descending: false };
            let slowly = [sortings[0].clone(), sortings[1].clone(), by_text];
            prop_assert_eq!(sort(all(), &sortings), sort(all(), &slowly));
        }
    }
}
