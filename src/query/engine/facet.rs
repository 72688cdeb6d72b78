//! Facets: the most frequent values of a column among the rows that match `where`.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::column::{Column, Value};

/// The most frequent values of a column. Each row has one value, so the rows of all values add up to the rows that match.
#[derive(Debug)]
pub struct Facet {
    pub name: &'static str,
    pub(in crate::query) values: Column,
    /// The number of rows of each value.
    pub(in crate::query) rows: Vec<u32>,
    /// The number of rows with further values.
    pub others: u64,
}

/// The facets of an answer. Serializes as an object with a list of values for each column.
#[derive(Debug)]
pub struct FacetValues<'a>(pub &'a [Facet]);

/// The further rows of the facets of an answer. Serializes as an object with a number for each column.
#[derive(Debug)]
pub struct FacetOthers<'a>(pub &'a [Facet]);

impl Facet {
    /// The values, each with the number of its rows; most rows first.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (Value<'_>, u32)> {
        self.rows.iter().enumerate().map(|(at, rows)| (self.values.value(at), *rows))
    }
}

impl Serialize for Facet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.rows.len()))?;
        for (value, rows) in self.values() {
            values.serialize_element(&FacetValue { value, rows })?;
        }
        values.end()
    }
}

#[derive(serde::Serialize)]
struct FacetValue<'a> {
    value: Value<'a>,
    rows: u32,
}

impl Serialize for FacetValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut facets = serializer.serialize_map(Some(self.0.len()))?;
        for facet in self.0 {
            facets.serialize_entry(facet.name, facet)?;
        }
        facets.end()
    }
}

impl Serialize for FacetOthers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut facets = serializer.serialize_map(Some(self.0.len()))?;
        for facet in self.0 {
            facets.serialize_entry(facet.name, &facet.others)?;
        }
        facets.end()
    }
}
