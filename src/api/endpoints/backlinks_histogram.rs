//! `/backlinks-histogram`: the backlinks of a scope by the day on which they were first seen.

use serde::Serialize;

use super::calendar;
use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{FROM, INTERNAL, SCOPE, TO, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("backlinks-histogram", DOCS, &[Verb::Get], Handler::Custom(render))
        .with_parameters(&[URL, SCOPE, INTERNAL, FROM, TO])
        .with_reply(ReplySchema::Calendar(Schema::Object(&[
            ("date", Schema::DayNumber),
            ("urls", Schema::Count),
            ("domains", Schema::Count),
            ("totalUrls", Schema::Count),
            ("totalDomains", Schema::Count),
        ])));

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Backlinks by the day they were first seen",
    description: "Has one row for each UTC day of `from`..`to` on which a link was first seen. `urls` counts these \
                  links, and `domains` their registrable domains. `totalUrls` and `totalDomains` count the links \
                  that were active at the end of the day, and their domains.",
};

/// `urls` and `domains` count the links first seen on the day, including those lost since. The totals count what is
/// active at the end of the day.
#[derive(Serialize)]
struct Row {
    date: u32,
    urls: u64,
    domains: u64,
    #[serde(rename = "totalUrls")]
    total_urls: u64,
    #[serde(rename = "totalDomains")]
    total_domains: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    calendar::render(context, |date, change| {
        let (seen, active) = (change.first_seen, change.active);
        (seen.backlinks > 0).then_some(Row {
            date,
            urls: seen.backlinks,
            domains: seen.refdoms,
            total_urls: active.backlinks,
            total_domains: active.refdoms,
        })
    })
}
