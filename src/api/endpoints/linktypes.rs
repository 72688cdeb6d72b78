//! `/linktypes`: how many of a scope's backlinks are text, and how many are images; frames and redirects are neither.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Endpoint, Handler, RequestContext, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("linktypes", &[Verb::Get], Handler::Custom(render)).with_reply(ReplySchema::CountedRows(
        Schema::Object(&[("linktype", Schema::Words(&["text", "image"])), ("links", Schema::Count)]),
    ));

#[derive(Serialize)]
struct Row {
    linktype: &'static str,
    links: u64,
}

fn render(context: &RequestContext<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = context.counts()?;
    context.explain_empty(counts.text + counts.image == 0)?;
    let types = [("text", counts.text), ("image", counts.image)];
    context.render_counted_rows(&types.map(|(linktype, links)| Row { linktype, links }), types.len(), &[])
}
