//! The document that describes the API, in OpenAPI 3.1, made of the declarations alone.
//!
//! What is said nowhere else: that a list's rows have fewer keys with `fields`, and that any endpoint may refuse. What
//! holds for some requests alone, as columns that only they have, is said in words.

use serde_json::{Map, Value, json};

use super::parameter::{Parameter, Takes};
use super::shape::{self, Body, Shape};
use super::{Answer, ApiError, ApiState, AuthPolicy, Endpoint, Exported, Verb, Wider, where_pattern};
use crate::query::export::{BacklinkRow, ExportColumn, ExportRow, PageRow};
use crate::query::{Compute, Listing, MAX_TARGETS};

/// Statuses that every endpoint may answer with, and what they mean.
const REFUSALS: [(&str, &str); 11] = [
    ("400", "A parameter is missing or cannot be used; the sentence says what to change."),
    ("401", "User name or password is wrong or missing."),
    ("404", "There is no such endpoint."),
    ("405", "The endpoint does not take the method; Allow says which it takes."),
    ("408", "The body was not sent within api.body_timeout."),
    ("413", "The body is larger than api.max_body_bytes."),
    ("414", "The query string is longer than api.max_query_bytes."),
    ("421", "The API is not asked under this name; see api.hosts."),
    (
        "429",
        "More requests than api.rate_limit_per_second, more wrong passwords than api.login_limit_per_second, or more \
         unread answers than api.answer_memory_per_client_bytes; Retry-After says how many seconds to wait.",
    ),
    ("500", "The server failed; its log says why."),
    (
        "503",
        "The answer took longer than api.deadline, the server has more to do than it can (Retry-After says how many \
         seconds to wait), or the index cannot be read.",
    ),
];

/// The document about these endpoints.
///
/// # Errors
/// [`ApiError::Internal`] where a listing contradicts itself.
pub fn document<'e>(
    endpoints: impl Iterator<Item = &'e Endpoint>,
    state: &ApiState,
) -> Result<Value, ApiError> {
    let mut paths = Map::new();
    for endpoint in endpoints {
        paths.insert(format!("/{}", endpoint.name), path(endpoint, state)?);
    }
    let refusals: Map<String, Value> =
        REFUSALS.iter().map(|(status, about)| ((*status).to_owned(), refusal(status, about))).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "components": { "responses": refusals, "schemas": { "Error": error_schema() } },
    });
    if state.auth == AuthPolicy::Users {
        document["security"] = json!([{ "basic": [] }]);
        document["components"]["securitySchemes"] = json!({ "basic": { "type": "http", "scheme": "basic" } });
    }
    Ok(document)
}

fn error_schema() -> Value {
    let keys = [("status", json!({ "type": "integer" })), ("error", json!({ "type": "string" }))];
    shape::object(keys.into_iter(), true)
}

fn refusal(status: &str, about: &str) -> Value {
    let header =
        |text: &str| json!({ "description": text, "schema": { "type": "string" }, "required": true });
    let headers = match status {
        "401" => json!({ "WWW-Authenticate": header("Basic, with the realm.") }),
        "405" => json!({ "Allow": header("The methods that the endpoint takes.") }),
        "429" => json!({ "Retry-After": header("Whole seconds to wait.") }),
        _ => json!({}),
    };
    json!({
        "description": about,
        "headers": headers,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    })
}

fn path(endpoint: &Endpoint, state: &ApiState) -> Result<Value, ApiError> {
    let mut item = Map::new();
    for verb in endpoint.verbs {
        let method = match verb {
            Verb::Get => "get",
            Verb::Post => "post",
        };
        item.insert(method.to_owned(), operation(endpoint, *verb, state)?);
    }
    Ok(Value::Object(item))
}

fn operation(endpoint: &Endpoint, verb: Verb, state: &ApiState) -> Result<Value, ApiError> {
    // What a body says stands in no parameter.
    let in_query = |parameter: &&&Parameter| verb == Verb::Get || !parameter.is_posted();
    let parameters = endpoint.parameters();
    let parameters = parameters.iter().filter(in_query).map(|parameter| about(parameter, endpoint, state));
    let mut responses: Map<String, Value> = REFUSALS
        .iter()
        .map(|(status, _)| {
            ((*status).to_owned(), json!({ "$ref": format!("#/components/responses/{status}") }))
        })
        .collect();
    responses.insert("200".to_owned(), answered(endpoint, state)?);
    let is_probe = matches!(endpoint.answer, Answer::Probe);
    if verb == Verb::Get && !is_probe {
        responses.insert("304".to_owned(), json!({ "description": "The client has the answer already." }));
    }
    let mut operation = json!({
        "operationId": format!("{}{}", if verb == Verb::Post { "post-" } else { "" }, endpoint.title()),
        "parameters": parameters.collect::<Result<Vec<_>, _>>()?,
        "responses": responses,
    });
    if is_probe {
        operation["security"] = json!([]);
    }
    if let (Verb::Post, Some(Body { shape, example })) = (verb, endpoint.body()) {
        let example: Value = serde_json::from_str(example)?;
        let schema = shape.schema(state.config.max_urls);
        operation["requestBody"] = json!({
            "required": true, "content": { "application/json": { "schema": schema, "example": example } },
        });
    }
    Ok(operation)
}

fn answered(endpoint: &Endpoint, state: &ApiState) -> Result<Value, ApiError> {
    let schema = reply_schema(endpoint, state)?;
    let mut content = json!({ "application/json": { "schema": schema } });
    if endpoint.answer.is_tabular() {
        for text in ["text/csv", "application/jsonl", "application/x-ndjson"] {
            content[text] = json!({ "schema": { "type": "string" } });
        }
    }
    Ok(json!({ "description": "The answer.", "content": content }))
}

/// The JSON of an endpoint's answer.
///
/// # Errors
/// As [`document`].
pub fn reply_schema(endpoint: &Endpoint, state: &ApiState) -> Result<Value, ApiError> {
    let (count, flag) = (Shape::Count.schema(0), Shape::Flag.schema(0));
    let rows = |row: Value| ("response", json!({ "type": "array", "items": row }));
    let finished = endpoint.answer.says_finished().then(|| ("exportFinished", flag.clone()));
    let mut properties: Vec<(&str, Value)> = finished.into_iter().collect();
    match &endpoint.answer {
        Answer::List(listing)
        | Answer::Summary(listing)
        | Answer::ListBy { listing, .. }
        | Answer::SummaryBy { listing, .. } => {
            let numbers = [("offset", count.clone()), ("limit", count.clone())];
            let range = ("range", shape::object(numbers.into_iter(), true));
            // With `fields`, rows have some of the keys.
            properties.extend([
                rows(shape::object(columns(listing, endpoint.wider())?.into_iter(), false)),
                ("count", count),
                range,
            ]);
        }
        Answer::Distribution { listing, .. } => {
            let rest = ("rest", json!({ "const": true }));
            let row = shape::object(columns(listing, None)?.into_iter().chain([rest]), false);
            properties.extend([rows(row), ("count", count)]);
        }
        Answer::Export(exported) => {
            let row = match exported {
                Exported::Backlinks => export_row(BacklinkRow::COLUMNS),
                Exported::Pages => export_row(PageRow::COLUMNS),
            };
            let next = ("next", json!({ "type": ["string", "null"] }));
            properties.extend([next, rows(row), ("count", count)]);
        }
        Answer::Probe | Answer::Own(_) => return Ok(endpoint.reply().schema(state.config.max_urls)),
    }
    Ok(shape::answer(properties))
}

/// The columns of rows, those too that only some requests ask for.
fn columns(listing: &Listing, wider: Option<Wider>) -> Result<Vec<(&'static str, Value)>, ApiError> {
    let all = wider.map_or(listing, |wider| wider.listing);
    let columns = all.columns.iter().map(|column| {
        let shape = match column.from {
            Compute::RowNumber => Shape::Count,
            _ => Shape::of(all.kind(*column)?),
        };
        let mut schema = shape.schema(0);
        let is_always = listing.columns.iter().any(|always| always.name == column.name);
        if let (Some(Wider { when, .. }), false) = (wider, is_always) {
            schema["description"] = json!(format!("Only {when}."));
        }
        Ok((column.name, schema))
    });
    columns.collect()
}

/// Links in place of their number, and columns within their objects.
fn export_row<R: ExportRow>(columns: &[ExportColumn<R>]) -> Value {
    let schema = |column: &ExportColumn<R>| match R::link_keys(column.name) {
        None => Shape::of(column.kind).schema(0),
        Some(keys) => {
            let keys = keys.iter().map(|(name, kind)| (*name, Shape::of(*kind).schema(0)));
            json!({ "type": "array", "items": shape::object(keys, true) })
        }
    };
    let mut row = shape::object(
        columns.iter().filter(|column| column.within.is_none()).map(|column| (column.name, schema(column))),
        false,
    );
    let mut objects: Vec<&str> = columns.iter().filter_map(|column| column.within).collect();
    objects.dedup();
    for object in objects {
        let inside = columns.iter().filter(|column| column.within == Some(object));
        row["properties"][object] = shape::object(inside.map(|column| (column.name, schema(column))), false);
    }
    row
}

fn about(parameter: &Parameter, endpoint: &Endpoint, state: &ApiState) -> Result<Value, ApiError> {
    let mut about = json!({
        "name": parameter.name, "in": "query", "required": parameter.required,
        "description": format!("{}{}", parameter.about, sometimes(parameter, endpoint)),
        "schema": values(parameter, endpoint, state)?,
    });
    if let Takes::Fields = parameter.takes {
        about["style"] = json!("form");
        about["explode"] = json!(false);
    }
    Ok(about)
}

/// What is said of the columns that a parameter may name in some requests only. Its values leave them out: they are
/// those that can be named in any.
fn sometimes(parameter: &Parameter, endpoint: &Endpoint) -> String {
    let (Some(wider), Some(listing)) = (endpoint.wider(), endpoint.answer.listing()) else {
        return String::new();
    };
    let named = |listing: &'static Listing| -> Vec<&str> {
        match parameter.takes {
            Takes::Fields => listing.columns.iter().map(|column| column.name).collect(),
            Takes::Order => listing.order_fields.to_vec(),
            Takes::Where => listing.where_fields.to_vec(),
            _ => Vec::new(),
        }
    };
    let always = named(listing);
    let mut more = named(wider.listing);
    more.retain(|name| !always.contains(name));
    if more.is_empty() { String::new() } else { format!(" Only {}: {}.", wider.when, more.join(", ")) }
}

/// The values of a parameter.
fn values(parameter: &Parameter, endpoint: &Endpoint, state: &ApiState) -> Result<Value, ApiError> {
    let listing = endpoint.answer.listing();
    Ok(match parameter.takes {
        Takes::Url => Shape::Asked.schema(0),
        Takes::Urls => one_or_more(Shape::Urls.schema(state.config.max_urls), Shape::Asked.schema(0)),
        Takes::Targets { least } => {
            let most = state.config.max_targets.min(MAX_TARGETS);
            let one = Shape::Asked.schema(0);
            let many = json!({ "type": "array", "items": one.clone(), "minItems": least, "maxItems": most });
            if least > 1 { many } else { one_or_more(many, one) }
        }
        Takes::Words(words) => Shape::Words(words).schema(0),
        Takes::Number { least, most, default } => {
            json!({ "type": "integer", "minimum": least, "maximum": most, "default": default })
        }
        Takes::Limit => json!({ "type": "integer", "minimum": 0, "maximum": state.config.max_limit }),
        Takes::Day => json!({ "type": "string", "format": "yyyyMMdd" }),
        Takes::Order => {
            let fields = listing.map_or(&[][..], |listing| listing.order_fields);
            let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
            let about =
                format!("A field, with - before it for descending order{fields}. Others are ignored.");
            let field = json!({ "type": "string", "description": about });
            one_or_more(json!({ "type": "array", "items": field.clone() }), field)
        }
        Takes::Where => match listing {
            Some(listing) if !listing.where_fields.is_empty() => {
                json!({ "type": "string", "pattern": where_pattern::pattern(listing)? })
            }
            _ => json!({ "type": "string", "description": "Ignored: nothing can be filtered here." }),
        },
        Takes::Fields => json!({
            "type": "array", "uniqueItems": true, "minItems": 1,
            "items": { "type": "string", "enum": endpoint.column_names() },
        }),
        Takes::Endpoints => Shape::Holding("^[\\s,]*[^\\[\\s,]").schema(0),
        Takes::Token => json!({ "type": "string", "format": "next-token" }),
    })
}

/// A list that has one element is written like that element.
fn one_or_more(list: Value, element: Value) -> Value {
    json!({ "anyOf": [list, element] })
}
