//! A table: the rows of a scope, by columns.
//!
//! Row `i` of every column is the `i`th row of the scan, so that the rows keep the order of the store's keys.
//! A table has at most `u32::MAX` rows; a row is named by its number.

use std::net::IpAddr;
use std::sync::Arc;

use super::QueryError;
use super::column::{Column, Meaning};
use super::dictionary::{AddressesBuilder, TextsBuilder};
use super::field::{Field, Read};
use crate::model::Day;
use crate::urls::Suffixes;

/// The rows of a scope, by columns.
#[derive(Debug)]
pub struct Table {
    rows: usize,
    columns: Vec<(&'static str, Column)>,
}

impl Table {
    /// Reads the given fields off all rows.
    ///
    /// # Errors
    /// The first error among the rows; [`QueryError::TooManyRows`].
    pub fn build<R>(
        fields: &[&'static Field<R>],
        rows: impl Iterator<Item = Result<R, QueryError>>,
        suffixes: &Suffixes,
    ) -> Result<Self, QueryError> {
        let mut sinks: Vec<Sink<R>> = fields.iter().map(|field| Sink::new(field)).collect();
        let mut count = 0;
        for row in rows {
            let row = row?;
            for sink in &mut sinks {
                sink.push(&row, suffixes);
            }
            count += 1;
            if count >= u32::MAX as usize {
                return Err(QueryError::TooManyRows);
            }
        }
        let columns = fields.iter().zip(sinks).map(|(field, sink)| (field.name, sink.finish())).collect();
        Ok(Self { rows: count, columns })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column of a field that the table was built with.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] for any other name.
    pub fn column(&self, name: &str) -> Result<&Column, QueryError> {
        self.columns
            .iter()
            .find(|(column, _)| *column == name)
            .map(|(_, column)| column)
            .ok_or_else(|| QueryError::Declaration(name.to_owned()))
    }
}

/// One column being filled.
enum Sink<R: 'static> {
    Number(fn(&R) -> u32, Vec<u32>),
    Flag(fn(&R) -> bool, Vec<u32>),
    Day(fn(&R) -> Day, Vec<u32>),
    DayNumber(fn(&R) -> Day, Vec<u32>),
    Text(for<'a> fn(&'a R, &Suffixes) -> &'a str, Vec<u32>, Box<TextsBuilder>),
    Address(fn(&R) -> Option<IpAddr>, Vec<u32>, Box<AddressesBuilder>),
}

impl<R> Sink<R> {
    fn new(field: &Field<R>) -> Self {
        match field.read {
            Read::Number(read) => Self::Number(read, Vec::new()),
            Read::Flag(read) => Self::Flag(read, Vec::new()),
            Read::Day(read) => Self::Day(read, Vec::new()),
            Read::DayNumber(read) => Self::DayNumber(read, Vec::new()),
            Read::Text(read) => Self::Text(read, Vec::new(), Box::default()),
            Read::Address(read) => Self::Address(read, Vec::new(), Box::default()),
        }
    }

    fn push(&mut self, row: &R, suffixes: &Suffixes) {
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
