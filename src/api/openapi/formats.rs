//! Describes the formats of answers beside JSON, and the parts that some of them have.

use serde_json::{Value, json};

use crate::api::http::negotiation::Format;
use crate::api::{Endpoint, Handler};

/// Adds the formats of an endpoint to the content of its response.
pub(super) fn describe_formats(endpoint: &Endpoint, content: &mut Value) {
    let text = || json!({ "schema": { "type": "string" } });
    if let Handler::Graph(_) = endpoint.handler {
        for format in [Format::Gexf, Format::GraphMl] {
            content[format.media_type()] = text();
        }
    }
    if !endpoint.handler.is_tabular() {
        return;
    }
    for format in [Format::Csv, Format::JsonLines, Format::NdJson] {
        content[format.media_type()] = text();
    }
    for format in [Format::Parquet, Format::Arrow] {
        content[format.media_type()] = json!({});
    }
    if endpoint.feed().is_some() {
        content[Format::Atom.media_type()] = text();
    }
}

/// Returns the responses to requests for a part of a Parquet file. `refusal` describes a refusal with its status.
pub(super) fn part_responses(refusal: fn(&str, &str) -> Value) -> [(String, Value); 3] {
    // Generators of clients refuse a response that is never JSON, so that its media type is in words.
    let part = json!({ "description": "The part of a Parquet file that Range asks for." });
    [
        ("206".to_owned(), part),
        ("412".to_owned(), refusal("412", "The file that If-Match names is no longer kept.")),
        ("416".to_owned(), refusal("416", "Range begins after the end of the answer.")),
    ]
}
