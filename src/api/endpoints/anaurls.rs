//! `/anaurls`: how many backlinks each of many URLs, hosts or domains has, and from how many domains.

use serde::Serialize;

use super::urls::totals_of_each;
use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, SCOPE, URLS};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anaurls", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[URLS, SCOPE, INTERNAL])
    .with_reply(ReplySchema::CountedRows(Schema::Object(&[
        ("backlinks", Schema::Count),
        ("refdoms", Schema::Count),
        ("url", Schema::Text),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks and referring domains of many URLs",
    description: "Counts the backlinks and the referring domains of each of `urls[]`, in the order given. Each row \
                  equals `anabacklinks` and `domainpopularity` of that URL, host or domain.",
};

#[derive(Serialize)]
struct Row {
    backlinks: u64,
    refdoms: u64,
    url: String,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (urls, provenance) = totals_of_each(context)?;
    let rows: Vec<Row> = urls
        .into_iter()
        .map(|url| Row { backlinks: url.totals.backlinks, refdoms: url.totals.refdoms, url: url.url })
        .collect();
    context.render_counted_rows(&rows, rows.len(), &[], &provenance)
}
