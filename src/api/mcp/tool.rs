//! The declaration of a tool, and its description for clients.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::argument::{Argument, ToolLimits};
use crate::api::Endpoint;
use crate::query::Listing;

/// A tool: a question that an agent asks by calling one endpoint.
pub(super) struct AgentTool {
    pub name: &'static str,
    pub title: &'static str,
    /// When to use the tool.
    pub purpose: &'static str,
    /// What the tool counts, if the text of its endpoint does not say so, or names what is no tool or argument.
    pub counted: Option<&'static str>,
    /// The endpoints. With several of them, the argument `what` names one.
    pub sources: &'static [Source],
    pub arguments: &'static [Argument],
    /// Whether domains that an argument names are left out of the rows.
    pub omits_named_domains: bool,
    /// The rows of the answer.
    pub rows: RowsOf,
}

/// An endpoint that a tool calls.
pub(super) struct Source {
    /// The value of `what` that names it.
    pub word: &'static str,
    pub endpoint: &'static Endpoint,
    /// The columns to show without `fields`; all if there are none.
    pub columns: &'static [&'static str],
}

/// Where the rows of an answer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowsOf {
    /// The endpoint pages its `response`.
    Endpoint,
    /// The value of this key. The tool itself pages it.
    Key(&'static str),
    /// The reply is one object.
    Nothing,
}

/// The name of the argument that chooses the endpoint.
pub(super) const WHAT: &str = "what";

impl AgentTool {
    /// Describes the tool for clients.
    pub(super) fn describe(&self, limits: &ToolLimits) -> Tool {
        let mut tool = Tool::new(self.name, self.description(), Arc::new(self.input_schema(limits)));
        tool.title = Some(self.title.to_owned());
        tool.output_schema = Some(Arc::new(self.output_schema()));
        // The other hints say nothing about a tool that only reads.
        tool.with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
    }

    /// The names of the arguments.
    pub(super) fn argument_names(&self) -> Vec<&'static str> {
        let what = (self.sources.len() > 1).then_some(WHAT);
        what.into_iter().chain(self.arguments.iter().map(|argument| argument.name)).collect()
    }

    /// What an answer counts, in the names of the arguments.
    pub(super) fn counted(&self, source: &Source) -> String {
        self.counted.map_or_else(|| source.endpoint.docs.description.replace("[]", ""), str::to_owned)
    }

    /// The purpose, and what is counted.
    fn description(&self) -> String {
        let lines = [
            self.purpose.to_owned(),
            self.sources.first().map(|source| self.counted(source)).unwrap_or_default(),
        ];
        lines.join("\n")
    }

    fn input_schema(&self, limits: &ToolLimits) -> JsonObject {
        let columns = self.usable_columns();
        let mut properties = Map::new();
        if let [first, _, ..] = self.sources {
            let words: Vec<&str> = self.sources.iter().map(|source| source.word).collect();
            let what = json!({ "type": "string", "enum": words, "default": first.word, "description": "The rows to list." });
            properties.insert(WHAT.to_owned(), what);
        }
        for argument in self.arguments {
            let mut schema = argument.schema(limits, &columns);
            if let Some(fields) = self.describe_fields(argument.name) {
                schema["description"] = json!(format!("{} {fields}", argument.parameter.description));
            }
            properties.insert(argument.name.to_owned(), schema);
        }
        let required: Vec<&str> = self
            .arguments
            .iter()
            .filter(|argument| argument.parameter.required)
            .map(|argument| argument.name)
            .collect();
        object_of(json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        }))
    }

    /// The columns that rows can have. Numbers of rows are left out, because they tell nothing.
    fn usable_columns(&self) -> Vec<&'static str> {
        let mut columns = Vec::new();
        for Source { endpoint, .. } in self.sources {
            let usable = endpoint.handler.listing().map(Listing::order_fields).unwrap_or_default();
            columns.extend(endpoint.column_names().into_iter().filter(|column| usable.contains(column)));
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Names the fields that `where` may use.
    fn describe_fields(&self, argument: &str) -> Option<String> {
        if argument != "where" {
            return None;
        }
        let takes_columns = self.arguments.iter().any(|argument| argument.name == "fields");
        let shown = if takes_columns { self.usable_columns() } else { Vec::new() };
        let listings = self.sources.iter().filter_map(|source| source.endpoint.handler.listing());
        let mut others: Vec<&str> = listings.flat_map(Listing::order_fields).collect();
        others.retain(|field| !shown.contains(field));
        others.sort_unstable();
        others.dedup();
        let those = takes_columns.then_some("those of `fields`");
        let fields: Vec<&str> = those.into_iter().chain(others).collect();
        Some(format!("Fields: {}.", fields.join(", ")))
    }

    /// The schema of the structured answer: its keys alone, because some clients give all schemas to their model. The
    /// instructions of the server have the meanings.
    fn output_schema(&self) -> JsonObject {
        let mut required = vec!["counted", "asOf", "complete"];
        if self.rows == RowsOf::Nothing {
            required.push("result");
        } else {
            required.extend(["count", "offset", "nextOffset", "rows"]);
        }
        object_of(json!({ "type": "object", "required": required }))
    }
}

fn object_of(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
