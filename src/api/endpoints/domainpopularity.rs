//! `/domainpopularity`: from how many registrable domains a scope's backlinks come.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("domainpopularity", DOCS, &[Verb::Get], Handler::Custom(render))
        .with_reply(ReplySchema::Rows(Schema::Object(&[("domainpopularity", Schema::Count)])));

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "Number of referring domains",
    description: "Counts the registrable domains of the pages that the backlinks of the scope are on. A host that is \
                  an IP address or a public suffix is a domain of its own.",
};

#[derive(Serialize)]
struct Row {
    domainpopularity: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let domainpopularity = counts.all.refdoms;
    let provenance = context.explain_empty(domainpopularity == 0, provenance)?;
    context.render_rows(&[Row { domainpopularity }], &provenance)
}
