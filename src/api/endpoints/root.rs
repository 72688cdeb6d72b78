//! `/`: the name and version of this server, and its endpoints.

use serde::Serialize;

use crate::api::openapi::schema::{self, Schema};
use crate::api::{ApiError, ENDPOINTS, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("", &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(schema::ReplySchema::Object(&[
        ("name", Schema::Text),
        ("version", Schema::Text),
        ("endpoints", Schema::List(&Schema::Text)),
    ]));

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
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.name).collect(),
        status: 200,
    };
    context.render_json(&reply, &[], &Provenance::volatile())
}
