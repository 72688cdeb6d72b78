//! `/edugovlinks`: how many of a scope's backlinks come from schools and authorities, by their public suffix.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::Totals;

pub static ENDPOINT: Endpoint = Endpoint::new("edugovlinks", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::CountedRows(Schema::Object(&[
        ("refdoms", Schema::Count),
        ("links", Schema::Count),
        ("type", Schema::Words(&["edu", "gov"])),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks from edu and gov suffixes",
    description: "Counts backlinks and referring domains whose public suffix has the label `edu`, and the same for \
                  `gov`. Suffixes such as `edu.au` and `gov.uk` belong to them. Both rows are always present.",
};

#[derive(Serialize)]
struct Row {
    refdoms: u64,
    links: u64,
    r#type: &'static str,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let provenance = context.explain_empty(counts.edu.backlinks + counts.gov.backlinks == 0, provenance)?;
    let row =
        |(r#type, totals): (_, Totals)| Row { refdoms: totals.refdoms, links: totals.backlinks, r#type };
    let response = [("edu", counts.edu), ("gov", counts.gov)].map(row);
    context.render_counted_rows(&response, response.len(), &[], &provenance)
}
