//! The layout of a table: its columns with their types and meanings, and what describes it as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema};

use crate::api::http::negotiation::Format;
use crate::api::openapi::columns::meaning;
use crate::query::ValueType;

/// The keys of the links in a list, with the types of their values.
pub(crate) type LinkKeys = &'static [(&'static str, ValueType)];

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnLayout {
    pub name: &'static str,
    pub value_type: ValueType,
    /// The keys of links, if a cell is a list of them.
    pub links: Option<LinkKeys>,
}

/// The columns of a table, its format and its description.
pub(crate) struct TableLayout {
    pub format: Format,
    pub columns: Vec<ColumnLayout>,
    /// What the table was computed from, by name.
    pub description: HashMap<String, String>,
    /// Rows of a row group at most.
    pub row_group_rows: usize,
    /// Bytes of an encoded row group at most, but for one batch.
    pub row_group_bytes: usize,
}

impl TableLayout {
    /// The schema, with the meanings of the columns.
    pub(super) fn schema(&self) -> Schema {
        let fields: Vec<Field> = self.columns.iter().map(ColumnLayout::field).collect();
        Schema::new_with_metadata(fields, self.description.clone())
    }
}

impl ColumnLayout {
    fn field(&self) -> Field {
        let (unit, description) = meaning(self.name);
        let texts = [("unit", unit), ("description", description)];
        let known = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let metadata: HashMap<String, String> =
            known.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let field = match self.links {
            Some(keys) => Field::new(self.name, DataType::List(link_field(keys)), false),
            None => value_field(self.name, self.value_type),
        };
        field.with_metadata(metadata)
    }
}

/// The field of the links in a list.
pub(super) fn link_field(keys: LinkKeys) -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(link_fields(keys)), false))
}

/// The fields of a link.
pub(super) fn link_fields(keys: LinkKeys) -> Fields {
    keys.iter().map(|(name, value_type)| value_field(name, *value_type)).collect()
}

/// The field of a column of values. Days and addresses may be unknown.
fn value_field(name: &str, value_type: ValueType) -> Field {
    let (data_type, nullable) = match value_type {
        // Wide and signed, as other programs read numbers: differences do not wrap.
        ValueType::Number => (DataType::Int64, false),
        ValueType::Hundredths | ValueType::TenThousandths => (DataType::Float64, false),
        ValueType::Flag => (DataType::Boolean, false),
        ValueType::Day | ValueType::DayNumber => (DataType::Date32, true),
        ValueType::Text => (DataType::Utf8, false),
        ValueType::Address => (DataType::Utf8, true),
    };
    Field::new(name, data_type, nullable)
}
