//! `/linktypes`: how many of a scope's backlinks are text, and how many are images; frames and redirects are neither.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, Provenance, RequestContext, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("linktypes", &[Verb::Get], Handler::Custom(render)).with_reply(ReplySchema::CountedRows(
        Schema::Object(&[("linktype", Schema::Words(&["text", "image"])), ("links", Schema::Count)]),
    ));

#[derive(Serialize)]
struct Row {
    linktype: &'static str,
    links: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let counts = context.counts()?;
    let provenance = context.explain_empty(counts.text + counts.image == 0, Provenance::current())?;
    let rows =
        [("text", counts.text), ("image", counts.image)].map(|(linktype, links)| Row { linktype, links });
    context.render_counted_rows(&rows, rows.len(), &[], &provenance)
}
