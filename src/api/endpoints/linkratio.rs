//! `/linkratio`: how many of a scope's backlinks lead to its home page, and how many deeper.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("linkratio", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::OneOf(&[
        Schema::Object(&[("homelinks", Schema::Count)]),
        Schema::Object(&[("deeplinks", Schema::Count)]),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks to the home page and to deeper pages",
    description: "Counts the backlinks to the home page as `homelinks`, and all others as `deeplinks`. The home page \
                  is the path `/` without a query on the requested host or domain, with or without `www.`.",
};

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Row {
    Homelinks(u64),
    Deeplinks(u64),
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let provenance = context.explain_empty(counts.all.backlinks == 0, provenance)?;
    let rows = [Row::Homelinks(counts.home), Row::Deeplinks(counts.all.backlinks - counts.home)];
    context.render_rows(&rows, &provenance)
}
