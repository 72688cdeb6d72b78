//! `/explain`: what is known of one URL, and why it is not fetched now; as `backlinkd explain --json` prints it.
//!
//! `url` is always one URL here, also without a path: `example.com` is `http://example.com/`. Times are Unix seconds.
//! `reasons` are sentences; without any, the URL is fetched when its turn comes. A pause of the crawl is no reason: it
//! concerns no URL by itself.

use serde::Serialize;

use super::host::SERVER;
use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::EXPLAINED_URL;
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::inspect::UrlReport;

pub static ENDPOINT: Endpoint = Endpoint::new("explain", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[EXPLAINED_URL])
    .with_reply(ReplySchema::Object(&[
        ("url", Schema::Text),
        ("met", Schema::Flag),
        ("page", Schema::OneOf(&[PAGE, Schema::Null])),
        ("queued", Schema::OneOf(&[QUEUED, Schema::Null])),
        ("cause", Schema::OptionalText),
        ("server", SERVER),
        ("reasons", Schema::List(&Schema::Text)),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "What is known of a URL",
    description: "Says what is known of one URL, and why it is not fetched now. Times are Unix seconds. \
                  Without a sentence in `reasons`, the URL is fetched when its turn comes.",
};

const PAGE: Schema = Schema::Object(&[
    ("visited", Schema::Count),
    ("status", Schema::Count),
    ("failure", Schema::OptionalText),
    ("cut", Schema::OptionalText),
    ("tls", Schema::OptionalText),
    ("cause", Schema::Text),
    ("depth", Schema::Count),
    ("next_visit", Schema::OptionalCount),
]);

const QUEUED: Schema = Schema::Object(&[
    ("kind", Schema::Words(&["seed", "sitemap", "again", "new"])),
    ("due", Schema::OptionalCount),
    ("place", Schema::OptionalCount),
    ("depth", Schema::Count),
    ("failed_attempts", Schema::Count),
]);

#[derive(Serialize)]
struct ExplainReply {
    #[serde(flatten)]
    report: UrlReport,
    status: u16,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let url = context.typed_url("url", "give a URL, for example url=http://example.com/a")?;
    let seeds = context.listed_seeds()?;
    let report = context.inspect(&seeds, |inspector| inspector.url(&url))?;
    // It changes with the queue, with robots.txt, and with time.
    context.render_json(&ExplainReply { report, status: 200 }, &[], &Provenance::volatile())
}
