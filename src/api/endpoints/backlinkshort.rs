//! `/backlinkshort`: backlinks, referring domains and IV Search Rank of many URLs, hosts or domains.

use serde::Serialize;

use super::urls::totals_of_each;
use crate::api::openapi::schema::{BodySchema, ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, SCOPE, URLS};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, RequestContext, Verb};
use crate::query::Value;

pub static ENDPOINT: Endpoint =
    Endpoint::new("backlinkshort", &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(&[URLS, SCOPE, INTERNAL])
        .with_reply(ReplySchema::CountedRows(Schema::Object(&[
            ("backlinks", Schema::Count),
            ("refdoms", Schema::Count),
            ("url", Schema::Text),
            ("sr", Schema::Hundredths),
        ])))
        .with_body(BodySchema { schema: Schema::Urls, example: "[\"example.com\", \"example.org\"]" });

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
