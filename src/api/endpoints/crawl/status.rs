//! `/crawl`: what the crawl of this process does.
//!
//! `state` is `running`, `paused` (by an operator, or because the disks take no more, as `reason` says), `idle` (no host is
//! ready), or `none` without a crawl in this process. Counts of visits and failures begin with the process. Each stored
//! visit is in `visits`, and either in `responses` or in `failures`. `responses` has the status of the last response of a
//! visit, and 304 by itself. `failedRequests` counts every attempt, also those for robots.txt, sitemaps and addresses, and
//! responses that are not the page; `/crawl/errors` shows the last ones.
//!
//! `queued`, `known` and `fetched` are those of `/stats`, of the state in `asOf`; they may be as old as `search.refresh`.
//! `fetchers` is `crawl.fetchers`; slow fetches are in flight besides.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::site_state::{AS_OF, StateTime};
use crate::api::{
    ApiError, CrawlStatus, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb,
};
use crate::clock::format_unix_time;
use crate::store::free_bytes;

pub static ENDPOINT: Endpoint = Endpoint::new("crawl", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(ReplySchema::Object(&[
        ("state", Schema::Words(&["running", "paused", "idle", "none"])),
        ("since", Schema::OptionalText),
        ("reason", Schema::Text),
        ("pagesPerSecond", Schema::Quantity),
        ("rate", Schema::List(&Schema::Count)),
        ("fetchesInFlight", Schema::Count),
        ("slowFetches", Schema::Count),
        ("fetchers", Schema::Count),
        ("visits", Schema::Count),
        ("responses", Schema::Map(&Schema::Count)),
        ("failures", Schema::Map(&Schema::Count)),
        ("failedRequests", Schema::Map(&Schema::Count)),
        ("queued", Schema::Count),
        ("known", Schema::Count),
        ("fetched", Schema::Count),
        ("diskFreeBytes", Schema::Count),
        ("rankGeneration", Schema::Count),
        ("ranking", Schema::Flag),
        ("asOf", AS_OF),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "What the crawl does",
    description: "Has the state of the crawl of this process, its rate, and its counts by status and by \
                  failure. Counts of visits and failures begin with the process. `queued`, `known` and \
                  `fetched` are those of `stats`. Without a crawl in this process, `state` is `none`.",
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusReply {
    state: &'static str,
    since: Option<String>,
    reason: String,
    pages_per_second: f64,
    rate: Vec<u64>,
    fetches_in_flight: u64,
    slow_fetches: u64,
    fetchers: usize,
    visits: u64,
    responses: BTreeMap<&'static str, u64>,
    failures: BTreeMap<&'static str, u64>,
    failed_requests: BTreeMap<String, u64>,
    queued: u64,
    known: u64,
    fetched: u64,
    disk_free_bytes: u64,
    rank_generation: u32,
    ranking: bool,
    as_of: StateTime,
    status: u16,
}

/// A process without a crawl.
const NONE: CrawlStatus = CrawlStatus {
    state: "none",
    since: 0,
    reason: String::new(),
    pages_per_second: 0.0,
    rate: Vec::new(),
    fetches_in_flight: 0,
    slow_fetches: 0,
    fetchers: 0,
    responses: Vec::new(),
    failures: Vec::new(),
    failed_requests: Vec::new(),
    ranking: false,
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let state = context.state;
    let size = state.searches.sites().size(context.deadline)?;
    let crawl = state.crawl.as_ref().map_or(NONE, |crawl| crawl.status());
    let counts = crawl.responses.iter().chain(&crawl.failures);
    let visits = counts.map(|(_, count)| count).sum();
    let reply = StatusReply {
        state: crawl.state,
        since: (crawl.since > 0).then(|| format_unix_time(crawl.since)),
        reason: crawl.reason,
        pages_per_second: (crawl.pages_per_second * 100.0).round() / 100.0,
        rate: crawl.rate,
        fetches_in_flight: crawl.fetches_in_flight,
        slow_fetches: crawl.slow_fetches,
        fetchers: crawl.fetchers,
        visits,
        responses: crawl.responses.into_iter().collect(),
        failures: crawl.failures.into_iter().collect(),
        failed_requests: crawl.failed_requests.into_iter().collect(),
        queued: size.stats.queued,
        known: size.known,
        fetched: size.stats.visited,
        disk_free_bytes: free_bytes(state.store.directory()),
        rank_generation: state.store.snapshot().rank_generation()?,
        ranking: crawl.ranking,
        as_of: size.state.into(),
        status: 200,
    };
    context.render_json(&reply, &[], &Provenance::volatile())
}
