//! Generates the OpenAPI 3.1 document from the declarations of the endpoints.
//!
//! Two facts are added here: rows of a list have fewer keys with `fields`, and every endpoint may refuse a request.
//! Facts that hold for some requests only, such as optional columns, are stated in descriptions.

use http::Method;
use serde_json::{Map, Value, json};

use super::examples::Examples;
use super::formats;
use super::schema::{self, BodySchema, ReplySchema, Schema};
use crate::api::reply::site_state::{KNOWN, SITE_STATE};
use crate::api::request::parameter::{DEFAULT_NODES, Parameter, ParameterKind};
use crate::api::{
    ApiError, ApiState, AuthPolicy, Endpoint, ExportKind, Handler, OptionalColumns, Topic, Verb,
};
use crate::query::export::{BacklinkRow, ExportColumn, ExportRow, PageRow};
use crate::query::{ColumnExpr, ErrorCode, Listing, MAX_TARGETS, RowKind};

/// The error statuses that every endpoint may return, with their descriptions.
const ERROR_STATUSES: [(&str, &str); 12] = [
    ("400", "A parameter is missing or cannot be used; the sentence says what to change."),
    ("401", "The credentials are wrong or missing."),
    ("403", "The user or token does not have the role, or a page of another site may have sent the request."),
    ("404", "There is no such endpoint."),
    ("405", "The endpoint does not take the method; Allow says which it takes."),
    ("408", "The body was not sent within api.body_timeout."),
    ("413", "The body is larger than api.max_body_bytes."),
    ("414", "The query string is longer than api.max_query_bytes."),
    ("421", "The API does not serve this host name; see api.hosts."),
    (
        "429",
        "More requests than api.rate_limit_per_second, more wrong passwords than api.login_limit_per_second, or more \
         unread answers than api.answer_memory_per_client_bytes; Retry-After says how many seconds to wait.",
    ),
    ("500", "The server failed; its log says why."),
    (
        "503",
        "The answer took longer than api.deadline, the server is overloaded (Retry-After says how many \
         seconds to wait), or the index cannot be read.",
    ),
];

/// Returns the document for these endpoints.
///
/// # Errors
/// [`ApiError::Internal`] if an example is not JSON.
pub(crate) fn document<'e>(
    endpoints: impl Iterator<Item = &'e Endpoint>,
    state: &ApiState,
) -> Result<Value, ApiError> {
    let examples = Examples::read()?;
    let mut paths = Map::new();
    let mut topics = Vec::new();
    for endpoint in endpoints {
        paths.insert(format!("/{}", endpoint.name), path_item(endpoint, state, &examples)?);
        topics.push(endpoint.docs.topic);
    }
    let refusals: Map<String, Value> = ERROR_STATUSES
        .iter()
        .map(|(status, text)| ((*status).to_owned(), error_response(status, text)))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": tags(&topics),
        "paths": paths,
        "components": {
            "headers": { "AsOf": as_of_header() },
            "responses": refusals,
            "schemas": { "Error": error_schema() },
        },
    });
    if state.auth == AuthPolicy::Users {
        document["security"] = json!([{ "basic": [] }, { "bearer": [] }, { "session": [] }]);
        document["components"]["securitySchemes"] = json!({
            "basic": { "type": "http", "scheme": "basic" },
            "bearer": { "type": "http", "scheme": "bearer" },
            "session": { "type": "apiKey", "in": "cookie", "name": "backlinkd_session" },
        });
    }
    Ok(document)
}

/// Describes the topics that endpoints have.
fn tags(topics: &[Topic]) -> Value {
    let used = Topic::ALL.into_iter().filter(|topic| topics.contains(topic));
    used.map(|topic| json!({ "name": topic.name(), "description": topic.description() })).collect()
}

/// The header with the state of an answer.
fn as_of_header() -> Value {
    json!({
        "description": "The state of the index that the answer shows: the time at which the server first read it, and \
                        the number of commits before it. It is absent if the answer shows no single state.",
        "schema": { "type": "string", "pattern": "^[0-9TZ:-]+; change=[0-9]+$" },
        "example": "2026-11-30T03:22:10Z; change=48113",
    })
}

fn error_schema() -> Value {
    let keys = [("status", json!({ "type": "integer" })), ("error", json!({ "type": "string" }))];
    let mut error = schema::object(keys.into_iter(), true);
    let offset = json!({ "type": "integer", "minimum": 0 });
    error["properties"]["parameter"] = json!({
        "type": "string", "description": "The parameter with the mistake, if the mistake is in one.",
    });
    error["properties"]["at"] = json!({
        "type": "array", "items": offset, "minItems": 2, "maxItems": 2,
        "description": "The place in the text of the parameter: offsets of characters, the end exclusive.",
    });
    error["properties"]["code"] = json!({
        "type": "string", "enum": ErrorCode::ALL.map(ErrorCode::as_str),
        "description": "The kind of the mistake.",
    });
    error
}

fn error_response(status: &str, description: &str) -> Value {
    let header =
        |text: &str| json!({ "description": text, "schema": { "type": "string" }, "required": true });
    let headers = match status {
        "401" => {
            let text = "Basic, with the realm; absent if the request has X-Requested-With: backlinkd.";
            json!({ "WWW-Authenticate": { "description": text, "schema": { "type": "string" } } })
        }
        "405" => json!({ "Allow": header("The methods that the endpoint takes.") }),
        "429" => json!({ "Retry-After": header("Whole seconds to wait.") }),
        _ => json!({}),
    };
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    })
}

fn path_item(endpoint: &Endpoint, state: &ApiState, examples: &Examples) -> Result<Value, ApiError> {
    let mut item = Map::new();
    for verb in endpoint.verbs {
        let method = match verb {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Delete => "delete",
        };
        item.insert(method.to_owned(), operation(endpoint, *verb, state, examples)?);
    }
    Ok(Value::Object(item))
}

fn operation(
    endpoint: &Endpoint,
    verb: Verb,
    state: &ApiState,
    examples: &Examples,
) -> Result<Value, ApiError> {
    // Values in the body are not parameters of a POST request, and neither are those of the list that it changes.
    let in_query = |parameter: &&&Parameter| {
        verb == Verb::Get || endpoint.accepted().is_none() && !parameter.is_in_body()
    };
    let parameters = endpoint.parameters();
    let parameters = parameters
        .iter()
        .filter(in_query)
        .map(|parameter| describe_parameter(parameter, endpoint, state, examples));
    let is_public = matches!(endpoint.handler, Handler::Probe | Handler::Session);
    let mut operation = json!({
        "operationId": format!("{}{}", operation_prefix(verb), endpoint.title().replace('/', "-")),
        "tags": [endpoint.docs.topic.name()],
        "summary": endpoint.docs.summary,
        "description": endpoint.docs.description,
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": responses(endpoint, verb, state, examples),
    });
    if is_public {
        operation["security"] = json!([]);
    } else {
        operation["x-role"] = json!(endpoint.role_for(&method_of(verb)).name());
    }
    if let Some(columns) = endpoint.describe_columns() {
        operation["x-columns"] = columns;
    }
    if let (Verb::Post, Some(BodySchema { schema, example })) = (verb, endpoint.body()) {
        let example: Value = serde_json::from_str(example)?;
        let schema = schema.to_json(endpoint.max_urls(&state.config));
        operation["requestBody"] = json!({
            "required": true, "content": { "application/json": { "schema": schema, "example": example } },
        });
    }
    Ok(operation)
}

fn method_of(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Delete => Method::DELETE,
    }
}

/// Returns the responses of an operation by their status.
fn responses(endpoint: &Endpoint, verb: Verb, state: &ApiState, examples: &Examples) -> Map<String, Value> {
    let refusal =
        |status: &str| (status.to_owned(), json!({ "$ref": format!("#/components/responses/{status}") }));
    let mut responses: Map<String, Value> =
        ERROR_STATUSES.iter().map(|(status, _)| refusal(status)).collect();
    let (is_session, is_probe) =
        (matches!(endpoint.handler, Handler::Session), matches!(endpoint.handler, Handler::Probe));
    if is_session && verb != Verb::Get {
        responses.insert("204".to_owned(), json!({ "description": "Done; Set-Cookie names the session." }));
    } else if let (Verb::Post, Some(reply)) = (verb, endpoint.accepted()) {
        responses.insert("202".to_owned(), accepted_response(reply, state));
        responses.insert("409".to_owned(), error_response("409", "No crawl runs in this process."));
    } else {
        responses.insert("200".to_owned(), success_response(endpoint, verb, state, examples));
    }
    if verb == Verb::Get && !is_probe && !is_session {
        responses.insert("304".to_owned(), json!({ "description": "The client has the answer already." }));
    }
    if endpoint.handler.is_tabular() {
        responses.extend(formats::part_responses(error_response));
    }
    responses
}

fn operation_prefix(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "",
        Verb::Post => "post-",
        Verb::Delete => "delete-",
    }
}

fn success_response(endpoint: &Endpoint, verb: Verb, state: &ApiState, examples: &Examples) -> Value {
    let posted = endpoint.posted_reply().filter(|_| verb == Verb::Post);
    let schema = match posted {
        Some(reply) => reply.to_json(endpoint.max_urls(&state.config)),
        None => reply_schema(endpoint, state),
    };
    let mut content = json!({ "application/json": { "schema": schema } });
    if let Some(answer) = examples.answer(endpoint) {
        let example = if posted.is_some() { as_row(answer) } else { answer.clone() };
        content["application/json"]["example"] = example;
    }
    formats::describe_formats(endpoint, &mut content);
    let mut response = json!({ "description": "The answer.", "content": content });
    if endpoint.handler.names_state() {
        response["headers"] = json!({ "Backlinkd-As-Of": { "$ref": "#/components/headers/AsOf" } });
    }
    response
}

/// Returns the answer about several scopes that has the answer about one as its only row.
fn as_row(answer: &Value) -> Value {
    let (mut row, mut reply) = (answer.clone(), json!({ "count": 1 }));
    reply["exportFinished"] = answer["exportFinished"].clone();
    for shared in ["asOf", "status"] {
        reply[shared] = answer[shared].clone();
        row.as_object_mut().map(|row| row.remove(shared));
    }
    reply["response"] = json!([row]);
    reply
}

fn accepted_response(reply: ReplySchema, state: &ApiState) -> Value {
    let mut schema = reply.to_json(state.config.max_urls);
    schema["properties"]["status"] = json!({ "const": 202 });
    json!({
        "description": "Accepted; it takes effect within a second.",
        "content": { "application/json": { "schema": schema } },
    })
}

/// Returns the JSON schema of an endpoint's reply.
fn reply_schema(endpoint: &Endpoint, state: &ApiState) -> Value {
    let (count, flag) = (Schema::Count.to_json(0), Schema::Flag.to_json(0));
    let rows = |row: Value| ("response", json!({ "type": "array", "items": row }));
    let finished = endpoint.handler.reports_completeness().then(|| ("exportFinished", flag.clone()));
    let mut properties: Vec<(&str, Value)> = finished.into_iter().collect();
    match &endpoint.handler {
        Handler::List(listing)
        | Handler::CompleteList(listing)
        | Handler::CustomList { listing, .. }
        | Handler::CustomCompleteList { listing, .. } => {
            let numbers = [("offset", count.clone()), ("limit", count.clone())];
            let range = ("range", schema::object(numbers.into_iter(), true));
            let sites = if listing.rows == RowKind::Domains { &SITE_STATE[..] } else { &[] };
            properties.extend(sites.iter().map(|(name, schema)| (*name, schema.to_json(0))));
            // With `fields`, rows have only some of the keys.
            let columns = shown_columns(listing, endpoint.optional_columns());
            properties.extend([rows(schema::object(columns.into_iter(), false)), ("count", count), range]);
            return with_facets(with_known(schema::reply(properties)));
        }
        Handler::Distribution { listing, .. } => {
            // Some generators of clients make wrong code of a constant that is a flag.
            let rest = ("rest", json!({ "type": "boolean", "enum": [true] }));
            let row = schema::object(shown_columns(listing, &[]).into_iter().chain([rest]), false);
            properties.extend([rows(row), ("count", count)]);
        }
        Handler::Export(exported) => {
            let row = match exported {
                ExportKind::Backlinks => export_row(BacklinkRow::COLUMNS),
                ExportKind::Pages => export_row(PageRow::COLUMNS),
            };
            let next = ("next", json!({ "type": ["string", "null"] }));
            properties.extend([next, rows(row), ("count", count)]);
        }
        Handler::Graph(_) | Handler::Probe | Handler::Session | Handler::Custom(_) => {
            return endpoint.reply().to_json(state.config.max_urls);
        }
    }
    with_known(schema::reply(properties))
}

/// Adds the key that a reply about a scope has if it has no rows.
fn with_known(mut reply: Value) -> Value {
    let mut known = KNOWN.to_json(0);
    known["description"] = json!("What the index knows of the scope, if there are no rows.");
    reply["properties"]["known"] = known;
    reply
}

/// Adds the keys that the reply of a list has if the request has `facets`.
fn with_facets(mut list: Value) -> Value {
    let keys = [("value", json!({})), ("rows", json!({ "type": "integer", "minimum": 1 }))];
    let values = json!({ "type": "array", "items": schema::object(keys.into_iter(), true) });
    list["properties"]["facets"] = json!({
        "type": "object", "additionalProperties": values,
        "description": "The most frequent values of each column that facets names, most rows first.",
    });
    list["properties"]["others"] = json!({
        "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 },
        "description": "For each of the facets, the rows with values that it does not show.",
    });
    list
}

/// Returns the columns of the rows, including optional ones.
fn shown_columns(listing: &Listing, optional_columns: &[OptionalColumns]) -> Vec<(&'static str, Value)> {
    let mut columns: Vec<(&str, Value)> = Vec::new();
    let optional = optional_columns.iter().map(|optional| (optional.listing, Some(optional.when)));
    for (listing, when) in [(listing, None)].into_iter().chain(optional) {
        for column in listing.columns {
            if columns.iter().any(|(name, _)| *name == column.name) {
                continue;
            }
            let schema = match (column.from, listing.value_type(*column)) {
                (ColumnExpr::RowNumber, _) => Schema::Count,
                (_, Some(kind)) => Schema::of(kind),
                (_, None) => continue,
            };
            let mut schema = schema.to_json(0);
            if let Some(when) = when {
                schema["description"] = json!(format!("Only {when}."));
            }
            columns.push((column.name, schema));
        }
    }
    columns
}

/// Replaces the number of links by the links, and puts columns into their objects.
fn export_row<R: ExportRow>(columns: &[ExportColumn<R>]) -> Value {
    let schema = |column: &ExportColumn<R>| match R::link_keys(column.name) {
        None => Schema::of(column.value_type).to_json(0),
        Some(keys) => {
            let keys = keys.iter().map(|(name, kind)| (*name, Schema::of(*kind).to_json(0)));
            json!({ "type": "array", "items": schema::object(keys, true) })
        }
    };
    let mut row = schema::object(
        columns.iter().filter(|column| column.within.is_none()).map(|column| (column.name, schema(column))),
        false,
    );
    let mut objects: Vec<&str> = columns.iter().filter_map(|column| column.within).collect();
    objects.dedup();
    for object in objects {
        let inside = columns.iter().filter(|column| column.within == Some(object));
        row["properties"][object] = schema::object(inside.map(|column| (column.name, schema(column))), false);
    }
    row
}

fn describe_parameter(
    parameter: &Parameter,
    endpoint: &Endpoint,
    state: &ApiState,
    examples: &Examples,
) -> Value {
    let mut description = json!({
        "name": parameter.name, "in": "query", "required": parameter.required,
        "description": format!("{}{}", parameter.description, optional_names(parameter, endpoint)),
        "schema": value_schema(parameter, endpoint, state),
    });
    if let Some(example) = examples.value(parameter, endpoint) {
        description["example"] = example;
    }
    if let ParameterKind::Fields | ParameterKind::Facets = parameter.kind {
        description["style"] = json!("form");
        description["explode"] = json!(false);
    }
    description
}

/// Describes the columns that a parameter may name in some requests only. The schema of its values omits them: it
/// contains the columns that any request may name.
fn optional_names(parameter: &Parameter, endpoint: &Endpoint) -> String {
    let Some(listing) = endpoint.handler.listing() else { return String::new() };
    let names_of = |listing: &'static Listing| -> Vec<&str> {
        match parameter.kind {
            ParameterKind::Fields => listing.columns.iter().map(|column| column.name).collect(),
            ParameterKind::Order | ParameterKind::Where | ParameterKind::Facets => listing.order_fields(),
            _ => Vec::new(),
        }
    };
    let (mut known, mut sentences) = (names_of(listing), String::new());
    for &OptionalColumns { listing, when } in endpoint.optional_columns() {
        let mut more = names_of(listing);
        more.retain(|name| !known.contains(name));
        if !more.is_empty() {
            sentences += &format!(" Only {when}: {}.", more.join(", "));
        }
        known.extend(more);
    }
    sentences
}

/// Returns the schema of the values of a parameter.
fn value_schema(parameter: &Parameter, endpoint: &Endpoint, state: &ApiState) -> Value {
    let listing = endpoint.handler.listing();
    match parameter.kind {
        ParameterKind::Url => Schema::UrlOrHost.to_json(0),
        ParameterKind::Urls => {
            one_or_more(Schema::Urls.to_json(state.config.max_urls), Schema::UrlOrHost.to_json(0))
        }
        ParameterKind::Targets { min } => targets_schema(min, state),
        ParameterKind::Words(words) => Schema::Words(words).to_json(0),
        ParameterKind::Number { min, max, default } => {
            json!({ "type": "integer", "minimum": min, "maximum": max, "default": default })
        }
        ParameterKind::TargetCount => json!({ "type": "integer", "minimum": 1 }),
        ParameterKind::Limit => json!({ "type": "integer", "minimum": 0, "maximum": state.config.max_limit }),
        ParameterKind::Nodes => {
            let max = state.config.max_nodes;
            json!({ "type": "integer", "minimum": 1, "maximum": max, "default": DEFAULT_NODES.min(max) })
        }
        ParameterKind::Day => json!({ "type": "string", "format": "yyyyMMdd" }),
        ParameterKind::Order => order_schema(&listing.map_or_else(Vec::new, Listing::order_fields)),
        // No regular expression describes nested parentheses.
        ParameterKind::Where => json!({ "type": "string", "format": "where" }),
        ParameterKind::Facets => json!({
            "type": "array", "uniqueItems": true, "minItems": 1, "maxItems": state.config.max_facets,
            "items": { "type": "string", "enum": listing.map_or_else(Vec::new, Listing::order_fields) },
        }),
        ParameterKind::Fields => json!({
            "type": "array", "uniqueItems": true, "minItems": 1,
            "items": { "type": "string", "enum": endpoint.column_names() },
        }),
        ParameterKind::Endpoints => Schema::Pattern("^[\\s,]*[^\\[\\s,]").to_json(0),
        ParameterKind::NamePrefix { max } => json!({ "type": "string", "minLength": 1, "maxLength": max }),
        ParameterKind::Text { max } => json!({ "type": "string", "maxLength": max }),
        ParameterKind::Token => json!({ "type": "string", "format": "next-token" }),
    }
}

/// Returns the schema of a list of at least `min` URLs, hosts or domains.
fn targets_schema(min: usize, state: &ApiState) -> Value {
    let max = state.config.max_targets.min(MAX_TARGETS);
    let one = Schema::UrlOrHost.to_json(0);
    let many = json!({ "type": "array", "items": one.clone(), "minItems": min, "maxItems": max });
    if min > 1 { many } else { one_or_more(many, one) }
}

fn order_schema(fields: &[&str]) -> Value {
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    let hint = format!("A field, with - before it for descending order{fields}. Others are ignored.");
    let field = json!({ "type": "string", "description": hint });
    one_or_more(json!({ "type": "array", "items": field.clone() }), field)
}

/// A list of one element is written like that element.
fn one_or_more(list: Value, element: Value) -> Value {
    json!({ "anyOf": [list, element] })
}
