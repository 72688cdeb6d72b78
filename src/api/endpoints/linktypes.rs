//! `/linktypes`: how many of a scope's backlinks are text, and how many are images; frames and redirects are neither.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("linktypes", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::CountedRows(Schema::Object(&[
        ("linktype", Schema::Words(&["text", "image"])),
        ("links", Schema::Count),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Text and image backlinks",
    description: "Counts the backlinks with the tag `a` as text, and those with `aimg` or `area` as images. Frames \
                  and redirects are neither. Both rows are always present.",
};

#[derive(Serialize)]
struct Row {
    linktype: &'static str,
    links: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let provenance = context.explain_empty(counts.text + counts.image == 0, provenance)?;
    let rows =
        [("text", counts.text), ("image", counts.image)].map(|(linktype, links)| Row { linktype, links });
    context.render_counted_rows(&rows, rows.len(), &[], &provenance)
}
