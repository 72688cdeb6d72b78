//! `/linkspread`: how many of a scope's backlinks pass rank on, and how many do not.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, RequestContext, Verb};

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

fn render(context: &RequestContext<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = context.counts()?;
    context.explain_empty(counts.all.backlinks == 0)?;
    context
        .render_rows(&[Row::Follow(counts.all.backlinks - counts.nofollow), Row::Nofollow(counts.nofollow)])
}
