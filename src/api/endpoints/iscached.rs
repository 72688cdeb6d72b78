//! `/iscached`: which of the endpoints named answer completely, at once, because their search index is ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::parameter::{INTERNAL, RESOURCES, SCOPE, URL};
use crate::api::shape::{self, Body, Shape};
use crate::api::{Answer, ApiError, Call, ENDPOINTS, Endpoint, Verb};
use crate::query::Selection;

pub static ENDPOINT: Endpoint = Endpoint::new("iscached", &[Verb::Get, Verb::Post], Answer::Own(answer))
    .taking(&[URL, SCOPE, INTERNAL, RESOURCES])
    .showing(shape::Reply::Object(&[("response", Shape::Map(&Shape::Flag))]))
    .posting(Body {
        shape: Shape::Open(&[("url", Shape::Asked), ("resources", NAMES)]),
        example: r#"{"url": "example.com", "resources": ["backlinks"]}"#,
    });

/// The body of a POST.
#[derive(Deserialize)]
struct Asked {
    url: String,
    resources: Names,
}

/// Names as a list, or in one text with commas between.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

#[derive(Serialize)]
struct Reply<'a> {
    response: BTreeMap<&'a str, bool>,
    status: u16,
}

/// At least one name.
const NAMES: Shape =
    Shape::OneOf(&[Shape::ListHolding(&Shape::Text, &Shape::Holding("\\S")), Shape::Holding("[^,\\s]")]);

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let (selection, asked) = match call.posted {
        Some(posted) => {
            let asked: Asked = posted.json(call.endpoint.body())?;
            (call.selection_of(&asked.url)?, asked.resources.into_list())
        }
        None => (call.selection()?, given(&call.params.list("resources")?)?),
    };
    let selection = Arc::new(selection);
    let response = asked
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| Ok((name, is_ready(call, &selection, name)?)))
        .collect::<Result<BTreeMap<&str, bool>, ApiError>>()?;
    if response.is_empty() {
        return Err(ApiError::missing(
            "resources",
            "name endpoints, for example resources=backlinks,linktexts",
        ));
    }
    call.is_passing();
    call.json(&Reply { response, status: 200 }, &[])
}

/// Whether an endpoint answers from a search index, and that is ready.
fn is_ready(call: &Call<'_>, selection: &Arc<Selection>, name: &str) -> Result<bool, ApiError> {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.name == name && endpoint.answer.says_finished());
    let Some(listing) = endpoint.and_then(|endpoint| endpoint.answer.listing()) else { return Ok(false) };
    Ok(call.state.searches.is_ready(selection, listing)?)
}

/// The names in a query string: in one text with commas between, as a JSON array, or as `resources[]`.
fn given(texts: &[&str]) -> Result<Vec<String>, ApiError> {
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

impl Names {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::List(names) => names,
            Self::Text(names) => names.split(',').map(str::to_owned).collect(),
        }
    }
}
