//! A table: rows by columns.
//!
//! A table has at most `u32::MAX` rows; a row is named by its number.

use std::net::IpAddr;
use std::sync::Arc;

use rayon::prelude::*;

use super::column::{Column, Meaning};
use super::dictionary::{AddressesBuilder, TextsBuilder};
use super::field::{Family, Field, PartOf, Read};
use super::pool::parallel;
use super::{Deadline, QueryError};
use crate::model::Day;
use crate::urls::Suffixes;

/// Rows by columns. Every column has all rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: usize,
    columns: Vec<(String, Column)>,
}

impl Table {
    pub(super) fn new(rows: usize, columns: Vec<(String, Column)>) -> Self {
        Self { rows, columns }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// The column of a name.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] when there is none.
    pub fn column(&self, name: &str) -> Result<&Column, QueryError> {
        self.columns
            .iter()
            .find(|(column, _)| *column == name)
            .map(|(_, column)| column)
            .ok_or_else(|| QueryError::Declaration(name.to_owned()))
    }

    pub(super) fn add(&mut self, name: &str, column: Column) {
        self.columns.push((name.to_owned(), column));
    }

    /// The rows named, in that order.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(super) fn pick(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        self.made_of(rows.len(), |column| column.pick(rows, deadline))
    }

    /// As [`Self::pick`], with dictionaries of what these rows need and no more.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(super) fn pick_apart(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        self.made_of(rows.len(), |column| column.pick_apart(rows, deadline))
    }

    fn made_of(
        &self,
        rows: usize,
        column: impl Fn(&Column) -> Result<Column, QueryError> + Sync,
    ) -> Result<Self, QueryError> {
        let made = |(name, old): &(String, Column)| Ok((name.clone(), column(old)?));
        let columns: Result<_, QueryError> = if rows < ROWS_A_THREAD {
            self.columns.iter().map(made).collect()
        } else {
            parallel(|| self.columns.par_iter().map(made).collect())
        };
        Ok(Self { rows, columns: columns? })
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(|(name, column)| name.len() + column.bytes()).sum()
    }
}

/// A table being filled, row by row.
pub(super) struct TableBuilder<F: Family> {
    rows: usize,
    sinks: Vec<(&'static str, Sink<F>)>,
    /// Columns made of others: name, the other's name, and which part of its texts.
    parts: Vec<(&'static str, &'static str, PartOf)>,
}

impl<F: Family> TableBuilder<F> {
    pub fn new(fields: &'static [Field<F>]) -> Self {
        let sinks = fields.iter().filter_map(|field| Some((field.name, Sink::new(field)?))).collect();
        let parts = fields.iter().filter_map(|field| match field.read {
            Read::PartOf(whole, part) => Some((field.name, whole, part)),
            _ => None,
        });
        Self { rows: 0, sinks, parts: parts.collect() }
    }

    /// A table of rows that lie at hand.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn of<'a>(
        fields: &'static [Field<F>],
        rows: &'a [F::Row<'a>],
        suffixes: &'a Suffixes,
        deadline: &Deadline,
    ) -> Result<Table, QueryError>
    where
        F::Row<'a>: Sync,
    {
        let mut builder = Self::new(fields);
        builder.push(rows, suffixes, deadline)?;
        builder.finish(suffixes, deadline)
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows, the columns shared among threads.
    ///
    /// # Errors
    /// [`QueryError::TooManyRows`]; [`QueryError::Deadline`].
    pub fn push<'a>(
        &mut self,
        rows: &'a [F::Row<'a>],
        suffixes: &'a Suffixes,
        deadline: &Deadline,
    ) -> Result<(), QueryError>
    where
        F::Row<'a>: Sync,
    {
        self.rows += rows.len();
        if self.rows >= u32::MAX as usize {
            return Err(QueryError::TooManyRows);
        }
        let fill = |sink: &mut Sink<F>| {
            rows.chunks(ROWS_A_LOOK).try_for_each(|rows| {
                deadline.check()?;
                rows.iter().for_each(|row| sink.push(row, suffixes));
                Ok(())
            })
        };
        if rows.len() < ROWS_A_THREAD {
            return self.sinks.iter_mut().try_for_each(|(_, sink)| fill(sink));
        }
        let sinks = &mut self.sinks;
        parallel(|| sinks.par_iter_mut().with_max_len(1).try_for_each(|(_, sink)| fill(sink)))
    }

    /// # Errors
    /// [`QueryError::Declaration`] for a part of a field that there is not; [`QueryError::Deadline`].
    pub fn finish(self, suffixes: &Suffixes, deadline: &Deadline) -> Result<Table, QueryError> {
        deadline.check()?;
        let finish = |(name, sink): (&str, Sink<F>)| (name.to_owned(), sink.finish());
        let large = self.rows >= ROWS_A_THREAD;
        let columns = if large {
            parallel(|| self.sinks.into_par_iter().map(finish).collect())
        } else {
            self.sinks.into_iter().map(finish).collect()
        };
        let mut table = Table { rows: self.rows, columns };
        let part = |&(name, whole, part): &(&str, &str, PartOf)| {
            Ok((name.to_owned(), part_of(table.column(whole)?, |text| part(text, suffixes), deadline)?))
        };
        let parts: Vec<(String, Column)> = if large {
            parallel(|| self.parts.par_iter().map(part).collect::<Result<_, QueryError>>())?
        } else {
            self.parts.iter().map(part).collect::<Result<_, QueryError>>()?
        };
        table.columns.extend(parts);
        Ok(table)
    }
}

/// The column of a part of each text.
fn part_of<'c>(
    whole: &'c Column,
    part: impl Fn(&'c str) -> &'c str,
    deadline: &Deadline,
) -> Result<Column, QueryError> {
    let Meaning::Texts(texts) = whole.meaning() else {
        return Err(QueryError::Declaration("a part of what is no text".to_owned()));
    };
    let mut parts = TextsBuilder::default();
    let mut codes = Vec::with_capacity(texts.len());
    for code in 0..texts.len() {
        deadline.check_at(code)?;
        codes.push(parts.code(part(texts.get(code as u32))));
    }
    let mut cells = Vec::with_capacity(whole.rows());
    for (row, code) in whole.cells().iter().enumerate() {
        deadline.check_at(row)?;
        cells.push(codes[code as usize]);
    }
    Ok(Column::new(cells, Meaning::Texts(Arc::new(parts.finish()))))
}

/// Fewer rows than this are not worth a second thread.
const ROWS_A_THREAD: usize = 1_024;

/// Rows put into one column between two looks at the deadline.
const ROWS_A_LOOK: usize = 4_096;

/// One column being filled.
enum Sink<F: Family> {
    Number(for<'a> fn(&F::Row<'a>) -> u32, Vec<u32>),
    Flag(for<'a> fn(&F::Row<'a>) -> bool, Vec<u32>),
    Day(for<'a> fn(&F::Row<'a>) -> Day, Vec<u32>),
    DayNumber(for<'a> fn(&F::Row<'a>) -> Day, Vec<u32>),
    Text(for<'a> fn(&'a F::Row<'a>, &'a Suffixes) -> &'a str, Vec<u32>, Box<TextsBuilder>),
    Address(for<'a> fn(&F::Row<'a>) -> Option<IpAddr>, Vec<u32>, Box<AddressesBuilder>),
}

impl<F: Family> Sink<F> {
    fn new(field: &Field<F>) -> Option<Self> {
        Some(match field.read {
            Read::Number(read) => Self::Number(read, Vec::new()),
            Read::Flag(read) => Self::Flag(read, Vec::new()),
            Read::Day(read) => Self::Day(read, Vec::new()),
            Read::DayNumber(read) => Self::DayNumber(read, Vec::new()),
            Read::Text(read) => Self::Text(read, Vec::new(), Box::default()),
            Read::Address(read) => Self::Address(read, Vec::new(), Box::default()),
            Read::PartOf(..) => return None,
        })
    }

    fn push<'a>(&mut self, row: &'a F::Row<'a>, suffixes: &'a Suffixes) {
        match self {
            Self::Number(read, cells) => cells.push(read(row)),
            Self::Flag(read, cells) => cells.push(u32::from(read(row))),
            Self::Day(read, cells) | Self::DayNumber(read, cells) => cells.push(read(row).as_number()),
            Self::Text(read, cells, texts) => cells.push(texts.code(read(row, suffixes))),
            Self::Address(read, cells, addresses) => cells.push(addresses.code(read(row))),
        }
    }

    fn finish(self) -> Column {
        match self {
            Self::Number(_, cells) => Column::new(cells, Meaning::Number),
            Self::Flag(_, cells) => Column::new(cells, Meaning::Flag),
            Self::Day(_, cells) => Column::new(cells, Meaning::Day),
            Self::DayNumber(_, cells) => Column::new(cells, Meaning::DayNumber),
            Self::Text(_, cells, texts) => Column::new(cells, Meaning::Texts(Arc::new(texts.finish()))),
            Self::Address(_, cells, addresses) => {
                Column::new(cells, Meaning::Addresses(Arc::new(addresses.finish())))
            }
        }
    }
}
