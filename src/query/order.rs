//! `order[]`: which fields, in which direction, and the rows of one page in that order.

use std::cmp::Ordering;

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
pub struct Sorting {
    pub column: Column,
    pub descending: bool,
}

/// The rows `offset .. offset + limit` of `0..rows` in the order of the sortings, row numbers deciding ties.
/// Only these rows are sorted; the others are merely put aside.
pub fn select(rows: usize, sortings: &[Sorting], offset: usize, limit: usize) -> Vec<u32> {
    let end = offset.saturating_add(limit).min(rows);
    if offset >= end {
        return Vec::new();
    }
    let mut picked: Vec<u32> = (0..rows as u32).collect();
    let compare = |a: &u32, b: &u32| compare(sortings, *a, *b);
    if end < picked.len() {
        picked.select_nth_unstable_by(end, compare);
        picked.truncate(end);
    }
    if offset > 0 {
        picked.select_nth_unstable_by(offset, compare);
        picked.drain(..offset);
    }
    picked.sort_unstable_by(compare);
    picked
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
            prop_assert_eq!(select(rows.len(), &sortings, offset, limit), window);
        }
    }
}
