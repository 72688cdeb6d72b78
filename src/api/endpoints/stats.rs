//! `/stats`: the size of the index, as `backlinkd stats` prints it.
//!
//! `fetched` counts visited URLs, and `pages` those whose last settled response was HTML. `links` and `backlinks` count
//! active ones, `former` lost ones. `hosts` and `domains` have visited URLs. `known` counts discovered URLs, without
//! those that wait to be merged. `ranked` is the time of the state that the last ranking read. Counting reads the key of
//! each host and each queued URL, so figures may be as old as `search.refresh`; `asOf` is their time. `demo` says
//! that the dates in the index are made up.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::site_state::{AS_OF, StateTime};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::clock::format_unix_time;

pub static ENDPOINT: Endpoint = Endpoint::new("stats", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[])
    .with_reply(ReplySchema::Object(&[
        ("links", Schema::Count),
        ("backlinks", Schema::Count),
        ("former", Schema::Count),
        ("pages", Schema::Count),
        ("fetched", Schema::Count),
        ("queued", Schema::Count),
        ("known", Schema::Count),
        ("hosts", Schema::Count),
        ("domains", Schema::Count),
        ("bytes", Schema::Count),
        ("ranked", Schema::OptionalText),
        ("change", Schema::Count),
        ("version", Schema::Text),
        ("demo", Schema::Flag),
        ("asOf", AS_OF),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Index,
    summary: "Size of the index",
    description: "Counts the links, pages, hosts and domains of the whole index. `fetched` counts visited \
                  URLs, and `pages` those whose last response was HTML. `ranked` is the time of the state \
                  that the last ranking read. Figures may be as old as `search.refresh`; `asOf` is their \
                  time.",
};

#[derive(Serialize)]
struct StatsReply {
    links: u64,
    backlinks: u64,
    former: u64,
    pages: u64,
    fetched: u64,
    queued: u64,
    known: u64,
    hosts: u64,
    domains: u64,
    bytes: u64,
    ranked: Option<String>,
    change: u64,
    version: &'static str,
    demo: bool,
    #[serde(rename = "asOf")]
    as_of: StateTime,
    status: u16,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let size = context.state.searches.sites().size(context.deadline)?;
    let stats = &size.stats;
    let reply = StatsReply {
        links: stats.links,
        backlinks: stats.backlinks,
        former: stats.lost_links,
        pages: stats.html_pages,
        fetched: stats.visited,
        queued: stats.queued,
        known: size.known,
        hosts: stats.hosts,
        domains: stats.domains,
        bytes: stats.disk_bytes,
        ranked: size.ranked.map(format_unix_time),
        change: size.state.change,
        version: env!("CARGO_PKG_VERSION"),
        demo: context.state.is_demo,
        as_of: StateTime::from(size.state),
        status: 200,
    };
    // The queue changes without a change of the index.
    context.render_json(&reply, &[], &Provenance::of_state(size.state).and(Provenance::volatile()))
}
