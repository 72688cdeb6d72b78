//! Cells of a column, collected into arrays.

use std::fmt::Write;
use std::mem;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder as _, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

use super::layout::{ColumnLayout, LinkKeys, link_field, link_fields};
use crate::api::ApiError;
use crate::model::Day;
use crate::query::export::PageLink;
use crate::query::{Column, Value, ValueType};

/// A cell of an export.
pub(crate) enum ExportCell<'a> {
    Value(Value<'a>),
    Links(&'a [PageLink]),
}

/// Collects the cells of a column.
pub(super) enum CellBuilder {
    Numbers(Int64Builder),
    Fractions(Float64Builder),
    Flags(BooleanBuilder),
    Days(Date32Builder),
    Texts(StringBuilder),
    Links(LinkListBuilder),
}

/// Collects lists of links.
pub(super) struct LinkListBuilder {
    keys: LinkKeys,
    parts: Vec<CellBuilder>,
    /// Where each list begins among the links, and where the last one ends.
    offsets: Vec<i32>,
}

impl CellBuilder {
    pub(super) fn new(column: &ColumnLayout) -> Self {
        match column.links {
            Some(keys) => Self::Links(LinkListBuilder::new(keys)),
            None => Self::of_values(column.value_type),
        }
    }

    fn of_values(value_type: ValueType) -> Self {
        match value_type {
            ValueType::Number => Self::Numbers(Int64Builder::new()),
            ValueType::Hundredths | ValueType::TenThousandths => Self::Fractions(Float64Builder::new()),
            ValueType::Flag => Self::Flags(BooleanBuilder::new()),
            ValueType::Day | ValueType::DayNumber => Self::Days(Date32Builder::new()),
            ValueType::Text | ValueType::Address => Self::Texts(StringBuilder::new()),
        }
    }

    /// Appends a cell.
    ///
    /// # Errors
    /// [`ApiError::Internal`] for a cell of another type.
    pub(super) fn push(&mut self, cell: ExportCell<'_>) -> Result<(), ApiError> {
        match (self, cell) {
            (Self::Links(links), ExportCell::Links(cells)) => links.push(cells),
            (builder, ExportCell::Value(value)) => builder.push_value(value),
            _ => Err(wrong_type()),
        }
    }

    fn push_value(&mut self, value: Value<'_>) -> Result<(), ApiError> {
        match (self, value) {
            (Self::Numbers(numbers), Value::Number(number)) => numbers.append_value(number.into()),
            (Self::Fractions(parts), Value::Hundredths(number)) => {
                parts.append_value(f64::from(number) / 100.0);
            }
            (Self::Fractions(parts), Value::TenThousandths(number)) => {
                parts.append_value(f64::from(number) / 10_000.0);
            }
            (Self::Flags(flags), Value::Flag(flag)) => flags.append_value(flag),
            (Self::Days(days), Value::Day(number) | Value::DayNumber(number)) => {
                days.append_option(Day::from_number(number).and_then(|day| i32::try_from(day.0).ok()));
            }
            (Self::Texts(texts), Value::Text(text)) => texts.append_value(text),
            (Self::Texts(texts), Value::Address(address)) => push_address(texts, address)?,
            _ => return Err(wrong_type()),
        }
        Ok(())
    }

    /// Appends these rows of a column.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn extend(&mut self, column: &Column, mut rows: Range<usize>) -> Result<(), ApiError> {
        rows.try_for_each(|row| self.push_value(column.value(row)))
    }

    /// The bytes of the collected cells.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => size_of_val(numbers.values_slice()),
            Self::Fractions(parts) => size_of_val(parts.values_slice()),
            Self::Flags(flags) => flags.len() / 8,
            Self::Days(days) => size_of_val(days.values_slice()),
            Self::Texts(texts) => texts.values_slice().len() + size_of_val(texts.offsets_slice()),
            Self::Links(links) => links.parts.iter().map(Self::bytes).sum(),
        }
    }

    /// Returns the collected cells, and begins a new array.
    ///
    /// # Errors
    /// [`ArrowError`] when the cells do not fit each other.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Numbers(numbers) => Arc::new(numbers.finish()),
            Self::Fractions(parts) => Arc::new(parts.finish()),
            Self::Flags(flags) => Arc::new(flags.finish()),
            Self::Days(days) => Arc::new(days.finish()),
            Self::Texts(texts) => Arc::new(texts.finish()),
            Self::Links(links) => links.finish()?,
        })
    }
}

impl LinkListBuilder {
    fn new(keys: LinkKeys) -> Self {
        let parts = keys.iter().map(|(_, value_type)| CellBuilder::of_values(*value_type)).collect();
        Self { keys, parts, offsets: vec![0] }
    }

    fn push(&mut self, links: &[PageLink]) -> Result<(), ApiError> {
        for link in links {
            for (part, value) in self.parts.iter_mut().zip(link.cells()) {
                part.push_value(value)?;
            }
        }
        let count = i32::try_from(links.len()).ok();
        let start = self.offsets.last().copied().unwrap_or(0);
        let end = count.and_then(|count| start.checked_add(count));
        self.offsets.push(end.ok_or_else(|| ApiError::Internal("too many links in one batch".to_owned()))?);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = mem::replace(&mut self.offsets, vec![0]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let parts = self.parts.iter_mut().map(CellBuilder::finish).collect::<Result<_, _>>()?;
        let links = StructArray::try_new(link_fields(self.keys), parts, None)?;
        Ok(Arc::new(ListArray::try_new(link_field(self.keys), offsets, Arc::new(links), None)?))
    }
}

fn push_address(texts: &mut StringBuilder, address: Option<IpAddr>) -> Result<(), ApiError> {
    let Some(address) = address else {
        texts.append_null();
        return Ok(());
    };
    write!(texts, "{address}").map_err(|error| ApiError::Internal(error.to_string()))?;
    texts.append_value("");
    Ok(())
}

fn wrong_type() -> ApiError {
    ApiError::Internal("a cell has another type than its column".to_owned())
}
