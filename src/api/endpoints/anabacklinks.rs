//! `/anabacklinks`: how many backlinks a scope has.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anabacklinks", &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("backlinks", Schema::Count)])));

#[derive(Serialize)]
struct Row {
    backlinks: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let backlinks = context.counts()?.all.backlinks;
    let provenance = context.explain_empty(backlinks == 0, Provenance::current())?;
    context.render_rows(&[Row { backlinks }], &provenance)
}
