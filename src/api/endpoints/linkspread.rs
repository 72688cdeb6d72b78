//! `/linkspread`: how many of a scope's backlinks pass rank on, and how many do not.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("linkspread", &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::OneOf(&[
        Schema::Object(&[("follow", Schema::Count)]),
        Schema::Object(&[("nofollow", Schema::Count)]),
    ])));

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Row {
    Follow(u64),
    Nofollow(u64),
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let counts = context.counts()?;
    let provenance = context.explain_empty(counts.all.backlinks == 0, Provenance::current())?;
    let rows = [Row::Follow(counts.all.backlinks - counts.nofollow), Row::Nofollow(counts.nofollow)];
    context.render_rows(&rows, &provenance)
}
