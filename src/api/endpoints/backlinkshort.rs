//! `/backlinkshort`: backlinks, referring domains and IV Search Rank of many URLs, hosts or domains.

use serde::Serialize;

use super::urls::totals_of_each;
use crate::api::openapi::schema::{BodySchema, ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, SCOPE, URLS};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::Value;

pub static ENDPOINT: Endpoint =
    Endpoint::new("backlinkshort", DOCS, &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(&[URLS, SCOPE, INTERNAL])
        .with_reply(ReplySchema::CountedRows(Schema::Object(&[
            ("backlinks", Schema::Count),
            ("refdoms", Schema::Count),
            ("url", Schema::Text),
            ("sr", Schema::Hundredths),
        ])))
        .with_body(BodySchema { schema: Schema::Urls, example: "[\"example.com\", \"example.org\"]" });

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks, referring domains and rank of many URLs",
    description: "Counts the backlinks and the referring domains of each of `urls[]`, and gives its IV Search Rank, \
                  in the order given. Each row equals `anabacklinks`, `domainpopularity` and `sr` of that URL, host \
                  or domain. A POST request has the URLs in its body.",
};

#[derive(Serialize)]
struct Row {
    backlinks: u64,
    refdoms: u64,
    url: String,
    sr: Value<'static>,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (urls, provenance) = totals_of_each(context)?;
    let rows: Vec<Row> = urls
        .into_iter()
        .map(|url| Row {
            backlinks: url.totals.backlinks,
            refdoms: url.totals.refdoms,
            url: url.url,
            sr: url.rank.into(),
        })
        .collect();
    context.render_counted_rows(&rows, rows.len(), &[], &provenance)
}
