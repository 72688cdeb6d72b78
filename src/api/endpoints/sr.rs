//! `/sr`: the IV Search Rank of a page, host or domain.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::{Value, scope_rank};

pub static ENDPOINT: Endpoint = Endpoint::new("sr", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[("sr", Schema::Hundredths)])));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "IV Search Rank",
    description: "Returns the IV Search Rank of the page, host or domain, from 0 to 10 with two decimals. 0 is a \
                  page without links to it, and one more is eight times as much PageRank. Hosts and domains have \
                  ranks of their own. An unknown subject has 0.",
};

#[derive(Serialize)]
struct Row {
    sr: Value<'static>,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (rank, provenance) = context.run_query(|scan| scope_rank(scan.snapshot, &scan.selection.scope))?;
    context.render_rows(&[Row { sr: rank.into() }], &provenance)
}
