//! Predicates: the test that a condition applies to a value.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use rayon::prelude::*;

use super::bitmap::Bitmap;
use super::literal::Literal;
use super::pattern::Pattern;
use super::regular_expression::RegularExpression;
use super::value_set::ValueSet;
use crate::query::QueryError;
use crate::query::deadline::{Deadline, StepCounter};
use crate::query::engine::column::{Cells, Column, Encoding, Value, each_width};
use crate::query::thread_pool::parallel;

/// One above the highest possible cell.
const END: u64 = 1 << 32;

/// Dictionaries with fewer words of 64 values than this do not get a second thread.
const MIN_PARALLEL_WORDS: usize = 256;

/// Words of 64 dictionary values tested between two checks of the deadline.
const WORDS_PER_CHECK: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// The test of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate {
    Compare(Comparison, Literal),
    In(ValueSet),
    Like { pattern: Pattern, negated: bool },
    Matches(RegularExpression),
}

impl Predicate {
    /// Clears the bits of rows that do not match. Bit 0 belongs to row `first` of the column.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(crate) fn keep(
        &self,
        rows: &mut Bitmap,
        column: &Column,
        first: usize,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        deadline.check()?;
        let all = first..first + rows.len();
        if column.dictionary_len().is_some() {
            let codes = self.codes(column, deadline)?;
            return each_width!(column.cells(), cells => rows.keep_codes(&cells[all], &codes, deadline));
        }
        match self {
            Self::Compare(comparison, literal) => {
                let (range, outside) = comparison.cells(column, literal);
                keep_range(rows, column, all, range, outside, deadline)?;
            }
            // Rows are tested one by one: `in` on numbers, `like` and `matches` on days.
            Self::In(_) | Self::Like { .. } | Self::Matches(_) => {
                let (mut kept, mut steps) = (Bitmap::empty(rows.len()), StepCounter::new(deadline));
                for (at, row) in rows.rows_from(0).enumerate() {
                    deadline.check_at(at)?;
                    if self.passes(column.value(first + row as usize), &mut steps)? {
                        kept.set(row as usize);
                    }
                }
                *rows = kept;
            }
        }
        Ok(())
    }

    /// The matching codes of a column with a dictionary. Each value is tested once, however many rows have
    /// it.
    fn codes(&self, column: &Column, deadline: &Deadline) -> Result<Bitmap, QueryError> {
        if let (Self::Like { pattern, negated }, Encoding::Texts(texts)) = (self, column.encoding())
            && let Some(codes) = pattern.search(texts, *negated, deadline)?
        {
            return Ok(codes);
        }
        let known = column.dictionary_len().unwrap_or(0);
        let mut codes = Bitmap::empty(known);
        let test = |(piece, words): (usize, &mut [u64])| {
            deadline.check()?;
            let mut steps = StepCounter::new(deadline);
            let first = piece * WORDS_PER_CHECK * 64;
            for code in first..(first + words.len() * 64).min(known) {
                let passes = self.passes(column.decode(code as u32), &mut steps)?;
                words[(code - first) / 64] |= u64::from(passes) << (code % 64);
            }
            Ok::<_, QueryError>(())
        };
        let words = codes.words_mut();
        if words.len() < MIN_PARALLEL_WORDS {
            words.chunks_mut(WORDS_PER_CHECK).enumerate().try_for_each(test)?;
        } else {
            parallel(|| words.par_chunks_mut(WORDS_PER_CHECK).enumerate().try_for_each(test))?;
        }
        Ok(codes)
    }

    fn passes(&self, value: Value<'_>, steps: &mut StepCounter<'_>) -> Result<bool, QueryError> {
        Ok(match self {
            Self::Compare(comparison, literal) => comparison.holds(literal.order_of(value)),
            Self::In(values) => values.contains(value),
            Self::Like { pattern, negated } => match shown_text(value) {
                Some(text) => pattern.matches(&text, steps)? != *negated,
                None => false,
            },
            Self::Matches(expression) => match shown_text(value) {
                Some(text) => {
                    // A text may take as many steps as it and the program have parts together.
                    steps.check()?;
                    expression.is_match(&text)
                }
                None => false,
            },
        })
    }
}

/// A value as a text, if a pattern may be applied to it.
fn shown_text(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Address(_) => Some(Cow::Owned(value.to_string())),
        Value::Day(day) | Value::DayNumber(day) => Some(Cow::Owned(format!("{day:08}"))),
        Value::Number(_) | Value::Hundredths(_) | Value::TenThousandths(_) | Value::Flag(_) => None,
    }
}

/// Clears the bits of rows whose cell lies outside of the range; with `outside`, of rows whose cell lies
/// within.
fn keep_range(
    rows: &mut Bitmap,
    column: &Column,
    all: Range<usize>,
    range: Range<u64>,
    outside: bool,
    deadline: &Deadline,
) -> Result<(), QueryError> {
    let most = match column.cells() {
        Cells::Bytes(_) => u64::from(u8::MAX),
        Cells::Halves(_) => u64::from(u16::MAX),
        Cells::Words(_) => u64::from(u32::MAX),
    };
    if range.is_empty() || range.start > most {
        if !outside {
            *rows = Bitmap::empty(rows.len());
        }
        return Ok(());
    }
    let (low, high) = (range.start, (range.end - 1).min(most));
    match column.cells() {
        Cells::Bytes(cells) => rows.keep_between(&cells[all], (low as u8, high as u8), outside, deadline),
        Cells::Halves(cells) => rows.keep_between(&cells[all], (low as u16, high as u16), outside, deadline),
        Cells::Words(cells) => rows.keep_between(&cells[all], (low as u32, high as u32), outside, deadline),
    }
}

impl Column {
    /// The lowest cell whose value passes, among all cells that a column of this encoding can have. Values
    /// ascend with their cells, and every value above a passing one passes.
    fn first_cell(&self, passes: impl Fn(Value<'_>) -> bool) -> u64 {
        let (mut low, mut high) = (0, END);
        while low < high {
            let middle = low + (high - low) / 2;
            if passes(self.decode(middle as u32)) { high = middle } else { low = middle + 1 }
        }
        low
    }
}

impl Comparison {
    /// The range of the cells for which the comparison holds. With `true`, it holds for those outside of the range.
    fn cells(self, column: &Column, literal: &Literal) -> (Range<u64>, bool) {
        let below = column.first_cell(|value| literal.order_of(value).is_some_and(Ordering::is_ge));
        let through = column.first_cell(|value| literal.order_of(value).is_some_and(Ordering::is_gt));
        match self {
            Self::Lt => (0..below, false),
            Self::Le => (0..through, false),
            Self::Gt => (through..END, false),
            Self::Ge => (below..END, false),
            Self::Eq => (below..through, false),
            Self::Ne => (below..through, true),
        }
    }

    /// Whether the comparison holds, given the order of the value relative to the literal.
    fn holds(self, order: Option<Ordering>) -> bool {
        let Some(order) = order else { return false };
        match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
        }
    }
}
