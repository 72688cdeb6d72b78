//! What the columnar formats say of a table beside its rows.

use std::collections::HashMap;

use super::columnar::{ColumnLayout, TableLayout};
use crate::api::{ListRequest, RequestContext};
use crate::clock::format_unix_time;
use crate::query::{Column, IndexAnswer, IndexState, Plan, RowPage};

impl RequestContext<'_> {
    /// The layout of a list as a table, by its first page.
    pub(super) fn list_layout(
        &self,
        request: &ListRequest,
        plan: &Plan,
        found: &IndexAnswer<RowPage>,
        warnings: &[String],
    ) -> TableLayout {
        let types = found.answer.columns().map(Column::value_type);
        let columns = plan.columns.iter().zip(types);
        let columns =
            columns.map(|(column, value_type)| ColumnLayout { name: column.name, value_type, links: None });
        let state = request.provenance().state().or(found.state);
        self.table_layout(columns.collect(), (state, self.completeness(found)), warnings)
    }

    /// The layout of a table: its columns, and a description of what it was computed from.
    pub(super) fn table_layout(
        &self,
        columns: Vec<ColumnLayout>,
        (state, is_complete): (Option<IndexState>, Option<bool>),
        warnings: &[String],
    ) -> TableLayout {
        let mut description = HashMap::new();
        if self.format.is_columnar() {
            let mut describe =
                |name: &str, text: String| description.insert(format!("backlinkd.{name}"), text);
            describe("version", env!("CARGO_PKG_VERSION").to_owned());
            describe("request", format!("/{}?{}", self.endpoint.name, self.params.to_query()));
            describe("docs", self.endpoint.docs.description.to_owned());
            if let Some(state) = state {
                describe("asOf", format_unix_time(state.read_at));
                describe("change", state.change.to_string());
            }
            if let Some(is_complete) = is_complete {
                describe("exportFinished", is_complete.to_string());
            }
            if !warnings.is_empty() {
                describe("warnings", serde_json::json!(warnings).to_string());
            }
        }
        let config = &self.state.config;
        TableLayout {
            format: self.format,
            columns,
            description,
            row_group_rows: config.row_group_rows,
            row_group_bytes: config.row_group_bytes,
        }
    }
}
