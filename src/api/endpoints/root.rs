//! `/`: the name and version of this server, and its endpoints.

use serde::Serialize;

use crate::api::openapi::schema::{self, Schema};
use crate::api::{
    ApiError, CRAWL_ENDPOINTS, Docs, ENDPOINTS, Endpoint, Handler, JsonReply, Provenance, RequestContext,
    Topic, Verb,
};

pub static ENDPOINT: Endpoint = Endpoint::new("", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(schema::ReplySchema::Object(&[
        ("name", Schema::Text),
        ("version", Schema::Text),
        ("endpoints", Schema::List(&Schema::Text)),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Operations,
    summary: "Name, version and endpoints of the server",
    description: "Returns the name and the version of this server, and the names of its endpoints.",
};

#[derive(Serialize)]
struct RootReply {
    name: &'static str,
    version: &'static str,
    endpoints: Vec<&'static str>,
    status: u16,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let reply = RootReply {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        endpoints: ENDPOINTS.iter().chain(CRAWL_ENDPOINTS).map(|endpoint| endpoint.name).collect(),
        status: 200,
    };
    context.render_json(&reply, &[], &Provenance::volatile())
}
