//! `/openapi.json`: the OpenAPI document of this API.

use crate::api::openapi::document;
use crate::api::openapi::schema::ReplySchema;
use crate::api::{
    ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb, routes,
};

pub static ENDPOINT: Endpoint = Endpoint::new("openapi.json", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(ReplySchema::Anything);

const DOCS: Docs = Docs {
    topic: Topic::Operations,
    summary: "OpenAPI document",
    description: "Returns this document, which describes all endpoints, parameters and answers. Bounds are those of \
                  the configuration.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let document = document(routes::all(), context.state)?;
    Ok(JsonReply::new(serde_json::to_vec(&document)?, &Provenance::current()))
}
