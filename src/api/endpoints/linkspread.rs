//! `/linkspread`: how many of a scope's backlinks pass rank on, and how many do not.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("linkspread", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::OneOf(&[
        Schema::Object(&[("follow", Schema::Count)]),
        Schema::Object(&[("nofollow", Schema::Count)]),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Followed and nofollow backlinks",
    description: "Counts the backlinks that pass rank on, and those that do not. A link is nofollow if its `rel` has \
                  nofollow, ugc or sponsored. It is also nofollow if the robots directives of its page say nofollow \
                  or none.",
};

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Row {
    Follow(u64),
    Nofollow(u64),
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let provenance = context.explain_empty(counts.all.backlinks == 0, provenance)?;
    let rows = [Row::Follow(counts.all.backlinks - counts.nofollow), Row::Nofollow(counts.nofollow)];
    context.render_rows(&rows, &provenance)
}
