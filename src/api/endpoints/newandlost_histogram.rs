//! `/newandlost-histogram`: the backlinks and referring domains that a scope gained and lost, day by day.

use serde::Serialize;

use super::calendar;
use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{FROM, INTERNAL, SCOPE, TO, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::DayChange;

pub static ENDPOINT: Endpoint =
    Endpoint::new("newandlost-histogram", DOCS, &[Verb::Get], Handler::Custom(render))
        .with_parameters(&[URL, SCOPE, INTERNAL, FROM, TO])
        .with_reply(ReplySchema::Calendar(Schema::Object(&[
            ("date", Schema::DayNumber),
            ("urls", CHANGE),
            ("domains", CHANGE),
        ])));

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Backlinks and domains won and lost by day",
    description: "Has one row for each UTC day of `from`..`to` with a change. `urls` counts the links that came and \
                  went on that day. A domain comes with its first active link, and goes with its last one.",
};

const CHANGE: Schema = Schema::Object(&[("new", Schema::Count), ("lost", Schema::Count)]);

#[derive(Serialize)]
struct Row {
    date: u32,
    urls: DayCounts,
    domains: DayCounts,
}

#[derive(Serialize)]
struct DayCounts {
    new: u64,
    lost: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    calendar::render(context, |date, DayChange { new, lost, .. }| {
        Some(Row {
            date,
            urls: DayCounts { new: new.backlinks, lost: lost.backlinks },
            domains: DayCounts { new: new.refdoms, lost: lost.refdoms },
        })
    })
}
