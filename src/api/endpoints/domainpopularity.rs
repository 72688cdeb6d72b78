//! `/domainpopularity`: from how many registrable domains a scope's backlinks come.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("domainpopularity", &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("domainpopularity", Schema::Count)])));

#[derive(Serialize)]
struct Row {
    domainpopularity: u64,
}

fn render(context: &RequestContext<'_>) -> Result<Vec<u8>, ApiError> {
    let domainpopularity = context.counts()?.all.refdoms;
    context.explain_empty(domainpopularity == 0)?;
    context.render_rows(&[Row { domainpopularity }])
}
