//! `/iscached`: which of the named endpoints would give a complete reply at once, because their search index is ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::openapi::schema::{self, BodySchema, Schema};
use crate::api::request::parameter::{INTERNAL, RESOURCES, SCOPE, URL};
use crate::api::{
    ApiError, Docs, ENDPOINTS, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb,
};
use crate::query::Selection;

pub static ENDPOINT: Endpoint =
    Endpoint::new("iscached", DOCS, &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(&[URL, SCOPE, INTERNAL, RESOURCES])
        .with_reply(schema::ReplySchema::Object(&[("response", Schema::Map(&Schema::Flag))]))
        .with_body(BodySchema {
            schema: Schema::OpenObject(&[("url", Schema::UrlOrHost), ("resources", NAMES_SCHEMA)]),
            example: r#"{"url": "example.com", "resources": ["backlinks"]}"#,
        });

const DOCS: Docs = Docs {
    topic: Topic::Index,
    summary: "Which answers are ready",
    description: "Says for each named endpoint whether it gives its complete answer at once, because the search \
                  index of the scope is ready. It is false for endpoints without `exportFinished`, and for unknown \
                  names.",
};

/// The body of a POST request.
#[derive(Deserialize)]
struct ReadinessRequest {
    url: String,
    resources: EndpointNames,
}

/// Names as a list, or as one string with commas.
#[derive(Deserialize)]
#[serde(untagged)]
enum EndpointNames {
    List(Vec<String>),
    Text(String),
}

#[derive(Serialize)]
struct IsCachedReply<'a> {
    response: BTreeMap<&'a str, bool>,
    status: u16,
}

/// At least one name.
const NAMES_SCHEMA: Schema = Schema::OneOf(&[
    Schema::ListContaining(&Schema::Text, &Schema::Pattern("\\S")),
    Schema::Pattern("[^,\\s]"),
]);

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (selection, names) = match context.json_body {
        Some(body) => {
            let readiness: ReadinessRequest = body.parse(context.endpoint.body())?;
            (context.selection_of(&readiness.url)?, readiness.resources.into_vec())
        }
        None => (context.selection()?, parse_names(&context.params.list("resources")?)?),
    };
    let selection = Arc::new(selection);
    let response = names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| Ok((name, is_ready(context, &selection, name)?)))
        .collect::<Result<BTreeMap<&str, bool>, ApiError>>()?;
    if response.is_empty() {
        return Err(ApiError::missing(
            "resources",
            "name endpoints, for example resources=backlinks,linktexts",
        ));
    }
    context.render_json(&IsCachedReply { response, status: 200 }, &[], &Provenance::volatile())
}

/// Whether an endpoint serves from a search index, and the index is ready.
fn is_ready(context: &RequestContext<'_>, selection: &Arc<Selection>, name: &str) -> Result<bool, ApiError> {
    let endpoint =
        ENDPOINTS.iter().find(|endpoint| endpoint.name == name && endpoint.handler.reports_completeness());
    let Some(listing) = endpoint.and_then(|endpoint| endpoint.handler.listing()) else { return Ok(false) };
    Ok(context.state.searches.is_ready(selection, listing)?)
}

/// Parses the names in a query string: one string with commas, a JSON array, or `resources[]`.
fn parse_names(texts: &[&str]) -> Result<Vec<String>, ApiError> {
    let mut names = Vec::new();
    for text in texts {
        if text.trim_start().starts_with('[') {
            let list: Vec<String> = serde_json::from_str(text).map_err(|_| {
                ApiError::parameter("resources", text, "names with commas between, or a JSON array of names")
            })?;
            names.extend(list);
        } else {
            names.extend(text.split(',').map(str::to_owned));
        }
    }
    Ok(names)
}

impl EndpointNames {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::List(names) => names,
            Self::Text(names) => names.split(',').map(str::to_owned).collect(),
        }
    }
}
