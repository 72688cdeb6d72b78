//! `/crawl/errors`: the last failed requests of the crawl, the latest first.
//!
//! A request fails when no response arrives, when the response is not the page (5xx, 403, a challenge …), or when its end
//! is missing. Each attempt counts, for pages, sitemaps, robots.txt and addresses of hosts. `kind` is as in
//! `failedRequests` of `/crawl`, and each failure counted there is here, until `crawl.recent_failures` later ones have
//! displaced it. The list begins with the process. Texts are shortened, and cleaned of control characters.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{FAILURE_KIND, LIMIT, MAX_FAILURE_KIND, OFFSET};
use crate::api::{
    ApiError, CrawlFailure, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb,
};
use crate::clock::format_unix_time;
use crate::query::Window;

pub static ENDPOINT: Endpoint = Endpoint::new("crawl/errors", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[FAILURE_KIND, LIMIT, OFFSET])
    .with_reply(ReplySchema::Object(&[
        (
            "errors",
            Schema::List(&Schema::Object(&[
                ("time", Schema::Text),
                ("kind", Schema::Text),
                ("resource", Schema::Words(&["page", "sitemap", "robots.txt", "address"])),
                ("url", Schema::Text),
                ("message", Schema::Text),
            ])),
        ),
        ("count", Schema::Count),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Last failed requests of the crawl",
    description: "Lists the failed requests, the latest first. Each attempt counts, for pages, sitemaps, \
                  robots.txt and addresses of hosts. The list has up to `crawl.recent_failures` entries \
                  and begins with the process.",
};

#[derive(Serialize)]
struct ErrorsReply {
    errors: Vec<ErrorRow>,
    count: usize,
    status: u16,
}

#[derive(Serialize)]
struct ErrorRow {
    time: String,
    kind: String,
    resource: &'static str,
    url: String,
    message: String,
}

impl From<CrawlFailure> for ErrorRow {
    fn from(CrawlFailure { at, resource, kind, url, cause }: CrawlFailure) -> Self {
        Self { time: format_unix_time(at), kind, resource, url, message: cause }
    }
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let Window { offset, limit } = context.params.window(&context.state.config)?;
    let kind = context.params.single("kind")?.unwrap_or_default();
    if kind.chars().count() > MAX_FAILURE_KIND {
        let expected = format!("at most {MAX_FAILURE_KIND} characters, for example kind=timeout");
        return Err(ApiError::parameter("kind", kind, &expected));
    }
    context.deadline.check()?;
    let mut failures = context.state.crawl.as_ref().map_or_else(Vec::new, |crawl| crawl.failures());
    failures.retain(|failure| kind.is_empty() || failure.kind == kind);
    let count = failures.len();
    let errors = failures.into_iter().skip(offset).take(limit).map(ErrorRow::from).collect();
    context.render_json(&ErrorsReply { errors, count, status: 200 }, &[], &Provenance::volatile())
}
