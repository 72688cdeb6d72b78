//! `/sr`: the IV Search Rank of a page, host or domain.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};
use crate::query::{Value, scope_rank};

pub static ENDPOINT: Endpoint = Endpoint::new("sr", &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("sr", Schema::Hundredths)])));

#[derive(Serialize)]
struct Row {
    sr: Value<'static>,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let rank = context.run_query(|scan| scope_rank(scan.snapshot, &scan.selection.scope))?;
    context.render_rows(&[Row { sr: rank.into() }], &Provenance::current())
}
