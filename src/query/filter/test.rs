//! What a condition asks of a value.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::Range;

use rayon::prelude::*;

use super::super::QueryError;
use super::super::bitmap::Bitmap;
use super::super::column::{Cells, Column, Meaning, Value, each_width};
use super::super::deadline::{Deadline, Steps};
use super::super::pool::parallel;
use super::members::Members;
use super::pattern::Pattern;

/// The cell after the last possible.
const END: u64 = 1 << 32;

/// Dictionaries smaller than 64 times this are not worth a second thread.
const WORDS_A_THREAD: usize = 256;

/// 64 times as many values of a dictionary are tested between two looks at the deadline.
const WORDS_A_LOOK: usize = 32;

/// A value that a condition names, of the kind of its field.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// For numbers and hundredths.
    Number(f64),
    Flag(bool),
    /// `yyyyMMdd`.
    Day(u32),
    Text(String),
    /// `None` is the unknown address, written `''`.
    Address(Option<IpAddr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Compare(Comparison, Literal),
    In(Members),
    Like { pattern: Pattern, negated: bool },
}

impl Test {
    /// Keeps those of the rows that pass. The bits are those of the column's rows from `first` on.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn keep(
        &self,
        rows: &mut Bitmap,
        column: &Column,
        first: usize,
        deadline: &Deadline,
    ) -> Result<(), QueryError> {
        deadline.check()?;
        let all = first..first + rows.len();
        if column.codes().is_some() {
            let codes = self.codes(column, deadline)?;
            return each_width!(column.cells(), cells => rows.keep_codes(&cells[all], &codes, deadline));
        }
        match self {
            Self::Compare(comparison, literal) => {
                let below = column.first_cell(|value| compare(value, literal).is_some_and(Ordering::is_ge));
                let through = column.first_cell(|value| compare(value, literal).is_some_and(Ordering::is_gt));
                let (from, to, outside) = match comparison {
                    Comparison::Lt => (0, below, false),
                    Comparison::Le => (0, through, false),
                    Comparison::Gt => (through, END, false),
                    Comparison::Ge => (below, END, false),
                    Comparison::Eq => (below, through, false),
                    Comparison::Ne => (below, through, true),
                };
                keep_range(rows, column, all, from..to, outside, deadline)?;
            }
            // These are tested one by one: `in` on numbers, `like` on days.
            Self::In(_) | Self::Like { .. } => {
                let (mut kept, mut steps) = (Bitmap::empty(rows.len()), Steps::of(deadline));
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

    /// Which codes of a column with a dictionary pass: a text is tested once, however many rows have it.
    fn codes(&self, column: &Column, deadline: &Deadline) -> Result<Bitmap, QueryError> {
        if let (Self::Like { pattern, negated }, Meaning::Texts(texts)) = (self, column.meaning())
            && let Some(codes) = pattern.search(texts, *negated, deadline)?
        {
            return Ok(codes);
        }
        let known = column.codes().unwrap_or(0);
        let mut codes = Bitmap::empty(known);
        let test = |(piece, words): (usize, &mut [u64])| {
            deadline.check()?;
            let mut steps = Steps::of(deadline);
            let first = piece * WORDS_A_LOOK * 64;
            for code in first..(first + words.len() * 64).min(known) {
                let passes = self.passes(column.meaning_of(code as u32), &mut steps)?;
                words[(code - first) / 64] |= u64::from(passes) << (code % 64);
            }
            Ok::<_, QueryError>(())
        };
        let words = codes.words_mut();
        if words.len() < WORDS_A_THREAD {
            words.chunks_mut(WORDS_A_LOOK).enumerate().try_for_each(test)?;
        } else {
            parallel(|| words.par_chunks_mut(WORDS_A_LOOK).enumerate().try_for_each(test))?;
        }
        Ok(codes)
    }

    fn passes(&self, value: Value<'_>, steps: &mut Steps<'_>) -> Result<bool, QueryError> {
        Ok(match self {
            Self::Compare(comparison, literal) => comparison.holds(compare(value, literal)),
            Self::In(members) => members.contain(value),
            Self::Like { pattern, negated } => match value {
                Value::Text(text) => pattern.matches(text, steps)? != *negated,
                Value::Address(address) => {
                    let text = address.map(|address| address.to_string()).unwrap_or_default();
                    pattern.matches(&text, steps)? != *negated
                }
                Value::Day(day) | Value::DayNumber(day) => {
                    pattern.matches(&format!("{day:08}"), steps)? != *negated
                }
                Value::Number(_) | Value::Hundredths(_) | Value::TenThousandths(_) | Value::Flag(_) => false,
            },
        })
    }
}

/// Keeps the rows whose cell lies in the range, or outside of it.
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
    /// The first cell whose value passes, of all that a column of this meaning could hold; values ascend with their
    /// cells, and all after one that passes pass.
    fn first_cell(&self, passes: impl Fn(Value<'_>) -> bool) -> u64 {
        let (mut low, mut high) = (0, END);
        while low < high {
            let middle = low + (high - low) / 2;
            if passes(self.meaning_of(middle as u32)) { high = middle } else { low = middle + 1 }
        }
        low
    }
}

impl Comparison {
    /// Whether it holds for a value that stands so to the literal.
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

/// How the value stands to the literal; `None` for two that have nothing in common, which parsing rules out.
/// A quotient by 100 is the number nearest to the two decimals, which is what reading a literal gives as well.
pub(super) fn compare(value: Value<'_>, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(value), Literal::Number(literal)) => f64::from(value).partial_cmp(literal),
        (Value::Hundredths(value), Literal::Number(literal)) => {
            (f64::from(value) / 100.0).partial_cmp(literal)
        }
        (Value::TenThousandths(value), Literal::Number(literal)) => {
            (f64::from(value) / 10_000.0).partial_cmp(literal)
        }
        (Value::Flag(value), Literal::Flag(literal)) => Some(value.cmp(literal)),
        (Value::Day(value) | Value::DayNumber(value), Literal::Day(literal)) => Some(value.cmp(literal)),
        (Value::Text(value), Literal::Text(literal)) => Some(value.cmp(literal.as_str())),
        (Value::Address(value), Literal::Address(literal)) => Some(value.cmp(literal)),
        _ => None,
    }
}
