//! `order[]`: which fields in which direction, and sorting rows by them.

use std::cmp::Ordering;

use super::column::Column;
use crate::query::thread_pool::parallel;
use crate::query::{Deadline, QueryError, shorten};
use crate::sorting::sort_by;

/// Ignored fields that get a warning each. One more warning counts the others.
const MAX_WARNINGS: usize = 10;

/// A column of the listing to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub column: &'static str,
    pub descending: bool,
}

/// Parses the texts of `order[]`. Fields that are not allowed are ignored; the second result has warnings for
/// them. A field that is named again decides nothing, so it is left out.
pub fn parse_order<'t>(
    texts: impl Iterator<Item = &'t str>,
    allowed: &[&'static str],
) -> (Vec<OrderKey>, Vec<String>) {
    let mut keys = Vec::new();
    let mut warnings = Vec::new();
    let mut omitted = 0;
    for text in texts {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        match allowed.iter().find(|column| **column == name) {
            Some(column) if keys.iter().any(|key: &OrderKey| key.column == *column) => {}
            Some(column) => keys.push(OrderKey { column, descending }),
            None if warnings.len() == MAX_WARNINGS => omitted += 1,
            None => warnings.push(format!(
                "order field \"{}\" was ignored; use one of {}, with - before it for descending order",
                shorten(text),
                allowed.join(", ")
            )),
        }
    }
    if omitted > 0 {
        warnings.push(format!("{omitted} further order fields were ignored for the same reason"));
    }
    (keys, warnings)
}

/// A column to sort by.
#[derive(Clone, Debug)]
pub(crate) struct SortColumn {
    pub column: Column,
    pub descending: bool,
}

/// Numbers sorted between two checks of the deadline.
const NUMBERS_PER_CHECK: usize = 1 << 14;
/// Rows sorted between two checks, where rows are compared by several columns or by texts.
const ROWS_PER_CHECK: usize = 1 << 12;

/// Sorts numbers. Many numbers are sorted by several threads.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(in crate::query) fn sort_numbers<T: Ord + Copy + Send + Sync>(
    numbers: &mut [T],
    deadline: &Deadline,
) -> Result<(), QueryError> {
    sort_slice(numbers, NUMBERS_PER_CHECK, &T::cmp, deadline)
}

/// The row numbers below `rows`, ordered by the names of the rows.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(in crate::query) fn by_name<'n>(
    rows: usize,
    name: impl Fn(usize) -> &'n str + Sync,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let compare = |a: &u32, b: &u32| name(*a as usize).cmp(name(*b as usize));
    sort_slice(&mut order, ROWS_PER_CHECK, &compare, deadline)?;
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

/// Sorts rows by the columns. Row numbers break ties.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(crate) fn sort(
    mut rows: Vec<u32>,
    sort_columns: &[SortColumn],
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    if matches!(sort_columns.len(), 1 | 2)
        && sort_columns.iter().all(|sorting| sorting.column.dictionary_len().is_none())
    {
        // Two 32-bit numbers are packed into one of 64 bits, which sorts several times as fast.
        let key =
            |row| sort_columns.iter().fold(0, |key, sorting| key << 32 | u64::from(sorting.number(row)));
        let mut keyed: Vec<(u64, u32)> = rows.iter().map(|&row| (key(row), row)).collect();
        sort_numbers(&mut keyed, deadline)?;
        return Ok(keyed.into_iter().map(|(_, row)| row).collect());
    }
    sort_slice(&mut rows, ROWS_PER_CHECK, &|a, b| compare(sort_columns, *a, *b), deadline)?;
    Ok(rows)
}

/// The rows at the positions from `offset` to `offset + limit` of the order. Only these are sorted; the
/// others are partitioned off. Use it for some thousand rows only: partitioning does not check the deadline.
///
/// # Errors
/// [`QueryError::Deadline`].
pub(crate) fn select(
    mut rows: Vec<u32>,
    sort_columns: &[SortColumn],
    offset: usize,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let end = offset.saturating_add(limit).min(rows.len());
    if offset >= end {
        return Ok(Vec::new());
    }
    let compare = |a: &u32, b: &u32| compare(sort_columns, *a, *b);
    if end < rows.len() {
        rows.select_nth_unstable_by(end, compare);
        rows.truncate(end);
    }
    if offset > 0 {
        rows.select_nth_unstable_by(offset, compare);
        rows.drain(..offset);
    }
    sort(rows, sort_columns, deadline)
}

fn compare(sort_columns: &[SortColumn], a: u32, b: u32) -> Ordering {
    for SortColumn { column, descending } in sort_columns {
        let order = column.compare(a as usize, b as usize);
        if order != Ordering::Equal {
            return if *descending { order.reverse() } else { order };
        }
    }
    a.cmp(&b)
}

impl SortColumn {
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
    use crate::query::engine::column::Encoding;

    #[test]
    fn unknown_fields_are_ignored() {
        let (keys, warnings) = parse_order(["-sr", "foo", "", "--sr", "extL"].into_iter(), &["sr", "extL"]);
        let shown: Vec<_> = keys.iter().map(|key| (key.column, key.descending)).collect();
        assert_eq!(shown, [("sr", true), ("extL", false)]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].contains("\"foo\"") && warnings[0].contains("sr, extL"), "{}", warnings[0]);
    }

    /// A query string has room for thousands of fields.
    #[test]
    fn neither_keys_nor_warnings_grow_with_the_query() {
        let texts = ["sr", "-extL", "-sr", "extL", "no"];
        let (keys, warnings) = parse_order(texts.into_iter().cycle().take(5_000), &["sr", "extL"]);
        let shown: Vec<_> = keys.iter().map(|key| (key.column, key.descending)).collect();
        assert_eq!(shown, [("sr", false), ("extL", true)]);
        assert_eq!(warnings.len(), MAX_WARNINGS + 1);
        assert!(warnings[MAX_WARNINGS].starts_with("990 further"), "{}", warnings[MAX_WARNINGS]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any window equals the same window of all rows, sorted.
        #[test]
        fn a_window_is_a_part_of_the_whole_order(
            rows in proptest::collection::vec((0u32..4, 0u32..4), 0..40),
            directions in (any::<bool>(), any::<bool>()),
            offset in 0usize..50,
            limit in 0usize..50,
        ) {
            let sorting = |cells: Vec<u32>, descending| SortColumn {
                column: Column::new(cells, Encoding::Number), descending,
            };
            let sort_columns = [
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
            prop_assert_eq!(select(all(), &sort_columns, offset, limit, &deadline).unwrap(), window);
            let texts = Column::from_texts(rows.iter().map(|_| ""), &deadline).unwrap();
            let by_text = SortColumn { column: texts, descending: false };
            let slowly = [sort_columns[0].clone(), sort_columns[1].clone(), by_text];
            let sorted = |sort_columns: &[SortColumn]| sort(all(), sort_columns, &deadline).unwrap();
            prop_assert_eq!(sorted(&sort_columns), sorted(&slowly));
        }
    }
}
