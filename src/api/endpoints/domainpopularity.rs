//! `/domainpopularity`: from how many registrable domains a scope's backlinks come.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("domainpopularity", &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("domainpopularity", Schema::Count)])));

#[derive(Serialize)]
struct Row {
    domainpopularity: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let domainpopularity = context.counts()?.all.refdoms;
    let provenance = context.explain_empty(domainpopularity == 0, Provenance::current())?;
    context.render_rows(&[Row { domainpopularity }], &provenance)
}
