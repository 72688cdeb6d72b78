//! `/anabacklinks`: how many backlinks a scope has.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anabacklinks", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("backlinks", Schema::Count)])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Number of backlinks",
    description: "Counts the backlinks of the scope: the external links into it that are active. A link is active if \
                  the last conclusive response of its page had it. Links between two hosts of one registrable \
                  domain count too, unless `internal=exclude` leaves them out.",
};

#[derive(Serialize)]
struct Row {
    backlinks: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (counts, provenance) = context.counts()?;
    let backlinks = counts.all.backlinks;
    let provenance = context.explain_empty(backlinks == 0, provenance)?;
    context.render_rows(&[Row { backlinks }], &provenance)
}
