//! `order[]`: which fields, in which direction, and the rows of one page in that order.

use std::cmp::Ordering;

use super::column::Column;
use super::pool::parallel;
use super::{Deadline, QueryError};
use crate::sorting::sort_by;

/// Fields passed over that are told of one by one.
const MOST_WARNINGS: usize = 10;

/// One field to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub field: &'static str,
    pub descending: bool,
}

/// Reads the texts of `order[]` against the fields allowed. What is not allowed is passed over and returned with
/// the reason, so many of them. A field that was named before decides nothing any more, and is left out.
pub fn parse<'t>(
    texts: impl Iterator<Item = &'t str>,
    allowed: &[&'static str],
) -> (Vec<OrderKey>, Vec<String>) {
    let mut keys = Vec::new();
    let mut warnings = Vec::new();
    let mut unsaid = 0;
    for text in texts {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        match allowed.iter().find(|field| **field == name) {
            Some(field) if keys.iter().any(|key: &OrderKey| key.field == *field) => {}
            Some(field) => keys.push(OrderKey { field, descending }),
            None if warnings.len() == MOST_WARNINGS => unsaid += 1,
            None => warnings.push(format!(
                "order field \"{text}\" was ignored; use one of {}, with - before it for descending order",
                allowed.join(", ")
            )),
        }
    }
    if unsaid > 0 {
        warnings.push(format!("{unsaid} further order fields were ignored for the same reason"));
    }
    (keys, warnings)
}

/// A column to compare rows by.
#[derive(Clone, Debug)]
pub struct Sorting {
    pub column: Column,
    pub descending: bool,
}

/// Numbers sorted between two looks at the deadline.
const NUMBERS_A_LOOK: usize = 1 << 14;
/// Likewise where rows are compared by several columns, or by texts.
const ROWS_A_LOOK: usize = 1 << 12;

/// Sorts numbers, the more of them with several threads.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(super) fn sort_numbers<T: Ord + Copy + Send + Sync>(
    numbers: &mut [T],
    deadline: &Deadline,
) -> Result<(), QueryError> {
    sort_slice(numbers, NUMBERS_A_LOOK, &T::cmp, deadline)
}

/// The numbers from 0 up to `rows`, in the order of the names that they have.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(super) fn by_name<'n>(
    rows: usize,
    name: impl Fn(usize) -> &'n str + Sync,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let compare = |a: &u32, b: &u32| name(*a as usize).cmp(name(*b as usize));
    sort_slice(&mut order, ROWS_A_LOOK, &compare, deadline)?;
    Ok(order)
}

fn sort_slice<T: Copy + Send + Sync>(
    items: &mut [T],
    run: usize,
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
    deadline: &Deadline,
) -> Result<(), QueryError> {
    let proceed = || deadline.check();
    if items.len() <= run {
        return sort_by(items, run, compare, &proceed);
    }
    parallel(|| sort_by(items, run, compare, &proceed))
}

/// The rows in the order of the sortings, row numbers deciding ties.
///
/// # Errors
/// [`QueryError::Deadline`].
pub fn sort(mut rows: Vec<u32>, sortings: &[Sorting], deadline: &Deadline) -> Result<Vec<u32>, QueryError> {
    if matches!(sortings.len(), 1 | 2) && sortings.iter().all(|sorting| sorting.column.codes().is_none()) {
        // Two numbers fit into one, which sorts several times as fast.
        let key = |row| sortings.iter().fold(0, |key, sorting| key << 32 | u64::from(sorting.number(row)));
        let mut keyed: Vec<(u64, u32)> = rows.iter().map(|&row| (key(row), row)).collect();
        sort_numbers(&mut keyed, deadline)?;
        return Ok(keyed.into_iter().map(|(_, row)| row).collect());
    }
    sort_slice(&mut rows, ROWS_A_LOOK, &|a, b| compare(sortings, *a, *b), deadline)?;
    Ok(rows)
}

/// Those of the rows that stand from `offset` up to `offset + limit` in the order of the sortings. Only these are
/// sorted; the others are merely put aside. For some thousand rows: putting aside does not look at the deadline.
///
/// # Errors
/// [`QueryError::Deadline`].
pub fn select(
    mut rows: Vec<u32>,
    sortings: &[Sorting],
    offset: usize,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let end = offset.saturating_add(limit).min(rows.len());
    if offset >= end {
        return Ok(Vec::new());
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
    sort(rows, sortings, deadline)
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

    /// A query string has room for thousands of fields.
    #[test]
    fn neither_keys_nor_warnings_grow_with_the_query() {
        let texts = ["sr", "-extL", "-sr", "extL", "no"];
        let (keys, warnings) = parse(texts.into_iter().cycle().take(5_000), &["sr", "extL"]);
        let shown: Vec<_> = keys.iter().map(|key| (key.field, key.descending)).collect();
        assert_eq!(shown, [("sr", false), ("extL", true)]);
        assert_eq!(warnings.len(), MOST_WARNINGS + 1);
        assert!(warnings[MOST_WARNINGS].starts_with("990 further"), "{}", warnings[MOST_WARNINGS]);
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
            let deadline = Deadline::after(std::time::Duration::MAX);
            prop_assert_eq!(select(all(), &sortings, offset, limit, &deadline).unwrap(), window);
            let texts = Column::of_texts(rows.iter().map(|_| ""), &deadline).unwrap();
            let by_text = Sorting { column: texts, descending: false };
            let slowly = [sortings[0].clone(), sortings[1].clone(), by_text];
            let sorted = |sortings: &[Sorting]| sort(all(), sortings, &deadline).unwrap();
            prop_assert_eq!(sorted(&sortings), sorted(&slowly));
        }
    }
}
