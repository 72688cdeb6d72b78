//! Tables: named columns of equal length.
//!
//! A table has fewer than `u32::MAX` rows, so a row number fits into 32 bits.

use std::net::IpAddr;
use std::sync::Arc;

use rayon::prelude::*;

use super::column::{Column, Encoding};
use super::dictionary::{AddressDictionaryBuilder, TextDictionaryBuilder};
use super::fields::{Field, PartOf, Read, RowType};
use crate::model::Day;
use crate::query::thread_pool::parallel;
use crate::query::{Deadline, QueryError};
use crate::urls::Suffixes;

/// Named columns. Every column has all rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: usize,
    columns: Vec<(String, Column)>,
}

impl Table {
    pub(in crate::query) fn new(rows: usize, columns: Vec<(String, Column)>) -> Self {
        Self { rows, columns }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(in crate::query) fn columns(&self) -> &[(String, Column)] {
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

    pub(in crate::query) fn add(&mut self, name: &str, column: Column) {
        self.columns.push((name.to_owned(), column));
    }

    /// The table of these rows, in this order.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn pick(&self, rows: &[u32], deadline: &Deadline) -> Result<Self, QueryError> {
        self.map_columns(rows.len(), |column| column.pick(rows, deadline))
    }

    /// As [`Self::pick`], with dictionaries reduced to what the rows use ([`Column::pick_compact`]).
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub(in crate::query) fn pick_compact(
        &self,
        rows: &[u32],
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        self.map_columns(rows.len(), |column| column.pick_compact(rows, deadline))
    }

    fn map_columns(
        &self,
        rows: usize,
        column: impl Fn(&Column) -> Result<Column, QueryError> + Sync,
    ) -> Result<Self, QueryError> {
        let made = |(name, old): &(String, Column)| Ok((name.clone(), column(old)?));
        let columns: Result<_, QueryError> = if rows < MIN_PARALLEL_ROWS {
            self.columns.iter().map(made).collect()
        } else {
            parallel(|| self.columns.par_iter().map(made).collect())
        };
        Ok(Self { rows, columns: columns? })
    }

    /// The size in memory in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.columns.iter().map(|(name, column)| name.len() + column.memory_bytes()).sum()
    }
}

/// Builds a table from rows.
pub(in crate::query) struct TableBuilder<F: RowType> {
    rows: usize,
    builders: Vec<(&'static str, ColumnBuilder<F>)>,
    /// Columns derived from others: their name, the other's name, and the part to take of its texts.
    parts: Vec<(&'static str, &'static str, PartOf)>,
}

impl<F: RowType> TableBuilder<F> {
    pub(crate) fn new(fields: &'static [Field<F>]) -> Self {
        let builders =
            fields.iter().filter_map(|field| Some((field.name, ColumnBuilder::new(field)?))).collect();
        let parts = fields.iter().filter_map(|field| match field.read {
            Read::PartOf(whole, part) => Some((field.name, whole, part)),
            _ => None,
        });
        Self { rows: 0, builders, parts: parts.collect() }
    }

    /// A table of the given rows.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn from_rows<'a>(
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

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends rows. Several threads share the columns if there are many rows.
    ///
    /// # Errors
    /// [`QueryError::TooManyRows`]; [`QueryError::Deadline`].
    pub(crate) fn push<'a>(
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
        let fill = |column: &mut ColumnBuilder<F>| {
            rows.chunks(ROWS_PER_CHECK).try_for_each(|rows| {
                deadline.check()?;
                rows.iter().for_each(|row| column.push(row, suffixes));
                Ok(())
            })
        };
        if rows.len() < MIN_PARALLEL_ROWS {
            return self.builders.iter_mut().try_for_each(|(_, column)| fill(column));
        }
        let builders = &mut self.builders;
        parallel(|| builders.par_iter_mut().with_max_len(1).try_for_each(|(_, column)| fill(column)))
    }

    /// # Errors
    /// [`QueryError::Declaration`] for a part of a missing field; [`QueryError::Deadline`].
    pub(crate) fn finish(self, suffixes: &Suffixes, deadline: &Deadline) -> Result<Table, QueryError> {
        deadline.check()?;
        let finish = |(name, column): (&str, ColumnBuilder<F>)| (name.to_owned(), column.finish());
        let large = self.rows >= MIN_PARALLEL_ROWS;
        let columns = if large {
            parallel(|| self.builders.into_par_iter().map(finish).collect())
        } else {
            self.builders.into_iter().map(finish).collect()
        };
        let mut table = Table { rows: self.rows, columns };
        let part = |&(name, whole, part): &(&str, &str, PartOf)| {
            Ok((name.to_owned(), derive_part(table.column(whole)?, |text| part(text, suffixes), deadline)?))
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

/// A column of a part of each text. Each distinct text is processed once.
fn derive_part<'c>(
    whole: &'c Column,
    part: impl Fn(&'c str) -> &'c str,
    deadline: &Deadline,
) -> Result<Column, QueryError> {
    let Encoding::Texts(texts) = whole.encoding() else {
        return Err(QueryError::Declaration("a part of a column without texts".to_owned()));
    };
    let mut parts = TextDictionaryBuilder::default();
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
    Ok(Column::new(cells, Encoding::Texts(Arc::new(parts.finish()))))
}

/// Below this number of rows, a second thread costs more than it saves.
const MIN_PARALLEL_ROWS: usize = 1_024;

/// Rows appended to one column between two checks of the deadline.
const ROWS_PER_CHECK: usize = 4_096;

/// Builds one column: the function that reads its value from a row, and the cells so far.
enum ColumnBuilder<F: RowType> {
    Number(for<'a> fn(&F::Row<'a>) -> u32, Vec<u32>),
    Flag(for<'a> fn(&F::Row<'a>) -> bool, Vec<u32>),
    Day(for<'a> fn(&F::Row<'a>) -> Day, Vec<u32>),
    DayNumber(for<'a> fn(&F::Row<'a>) -> Day, Vec<u32>),
    Text(for<'a> fn(&'a F::Row<'a>, &'a Suffixes) -> &'a str, Vec<u32>, Box<TextDictionaryBuilder>),
    Address(for<'a> fn(&F::Row<'a>) -> Option<IpAddr>, Vec<u32>, Box<AddressDictionaryBuilder>),
}

impl<F: RowType> ColumnBuilder<F> {
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
            Self::Number(_, cells) => Column::new(cells, Encoding::Number),
            Self::Flag(_, cells) => Column::new(cells, Encoding::Flag),
            Self::Day(_, cells) => Column::new(cells, Encoding::Day),
            Self::DayNumber(_, cells) => Column::new(cells, Encoding::DayNumber),
            Self::Text(_, cells, texts) => Column::new(cells, Encoding::Texts(Arc::new(texts.finish()))),
            Self::Address(_, cells, addresses) => {
                Column::new(cells, Encoding::Addresses(Arc::new(addresses.finish())))
            }
        }
    }
}
