//! `/host`: what is known of the servers of a host, and how the crawl treats them; as `backlinkd host --json` prints
//! them, in `servers`.
//!
//! A server is a scheme, host and port. Shown are those that were asked for a page, and those with queued URLs. Without
//! any, the list is empty. Times are Unix seconds.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::HOST;
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::inspect::OriginReport;

pub static ENDPOINT: Endpoint = Endpoint::new("host", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[HOST])
    .with_reply(ReplySchema::Object(&[("servers", Schema::List(&SERVER))]));

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "What is known of a host",
    description: "Has the servers of a host: each scheme and port that was asked for a page, or has queued \
                  URLs. It says how the crawl treats them. Times are Unix seconds.",
};

/// A server.
pub(super) const SERVER: Schema = Schema::Object(&[
    ("origin", Schema::Text),
    ("blocked", Schema::Flag),
    ("delay_seconds", Schema::Quantity),
    ("queued", Schema::Count),
    ("visits", Schema::Count),
    ("failures_in_a_row", Schema::Count),
    ("asleep_until", Schema::OptionalCount),
    ("robots", Schema::OneOf(&[ROBOTS, Schema::Null])),
    ("budget", BUDGET),
    ("last_visits", Schema::List(&Schema::Object(&[("at", Schema::Count), ("outcome", Schema::Text)]))),
    ("failures", Schema::List(&FAILURE)),
]);

const ROBOTS: Schema = Schema::Object(&[
    ("allowed", Schema::Flag),
    ("line", Schema::Count),
    ("basis", Schema::Text),
    ("fetched", Schema::OptionalCount),
    ("status", Schema::Count),
    ("failing_since", Schema::OptionalCount),
    ("attempts", Schema::Count),
    ("kind", Schema::Text),
    ("cause", Schema::Text),
    ("due", Schema::Count),
    ("crawl_delay_seconds", Schema::OneOf(&[Schema::Quantity, Schema::Null])),
]);

const BUDGET: Schema = Schema::Object(&[
    ("pages", Schema::Count),
    ("most", Schema::Count),
    ("domain", Schema::Text),
    ("domain_pages", Schema::Count),
    ("domain_most", Schema::Count),
]);

const FAILURE: Schema = Schema::Object(&[
    ("at", Schema::Count),
    ("url", Schema::Text),
    ("kind", Schema::Text),
    ("cause", Schema::Text),
]);

#[derive(Serialize)]
struct HostReply {
    servers: Vec<OriginReport>,
    status: u16,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let url = context.typed_url("host", "give a host, for example host=www.example.com")?;
    let servers = context.inspect(&[], |inspector| inspector.origin_reports(&url))?;
    context.render_json(&HostReply { servers, status: 200 }, &[], &Provenance::volatile())
}
