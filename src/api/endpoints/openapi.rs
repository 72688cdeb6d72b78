//! `/openapi.json`: the OpenAPI document of this API.

use crate::api::openapi::document;
use crate::api::openapi::schema::ReplySchema;
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb, routes};

pub static ENDPOINT: Endpoint = Endpoint::new("openapi.json", &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(ReplySchema::Anything);

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let document = document(routes::all(), context.state)?;
    Ok(JsonReply::new(serde_json::to_vec(&document)?, &Provenance::current()))
}
