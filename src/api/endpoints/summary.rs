//! `/summary`: the figures of a scope, all of one state of the index.
//!
//! `asOf` names the state: when it was read, and the number of commits that had changed the index. The figures are those
//! of `anabacklinks`, `domainpopularity`, `linkspread`, `linktypes`, `linkratio`, `edugovlinks`, `ippopularity`, `sr` and
//! `outgoinglinkcount` in that state. Further figures:
//!
//! * `countries`: the known countries of the linking servers;
//! * `lost`: the lost links that are not back;
//! * `firstSeen`, `lastSeen`: the first day on which any link was seen, and the last day on which an active one was; ""
//!   without one;
//! * `known`: `visited` if a page of the scope was visited, `discovered` if the scope is known otherwise;
//! * `since`: the totals at the end of that day, and the sums of the days after it, as in `history`.
//!
//! `ips`, `ipv6`, `net24`, `countries`, `lost`, the days and the figures within `since` come from the search index. If it
//! is not complete in this state after `search.patience`, they are null and `exportFinished` is false.

use std::sync::Arc;

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::index_state::{AS_OF, StateTime};
use crate::api::request::parameter::{INTERNAL, SCOPE, SCOPE_KINDS, SINCE, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::model::Day;
use crate::query::{Coverage, Deadline, Facts, QueryError, ScopeSummary, Totals, Value, sum_of_days};
use crate::urls::Scope;

const INDEXED: Schema = Schema::OneOf(&[Schema::Count, Schema::Null]);
const INDEXED_DAY: Schema = Schema::OneOf(&[Schema::Holding("^([0-9]{8})?$"), Schema::Null]);
const TOTALS: Schema = Schema::Object(&[("backlinks", Schema::Count), ("refdoms", Schema::Count)]);

pub static ENDPOINT: Endpoint = Endpoint::new("summary", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[URL, SCOPE, INTERNAL, SINCE])
    .with_reply(ReplySchema::Object(&[
        ("url", Schema::Text),
        ("scope", Schema::Words(SCOPE_KINDS)),
        ("asOf", AS_OF),
        ("exportFinished", Schema::Flag),
        ("known", Schema::Words(&["visited", "discovered", "unknown"])),
        ("sr", Schema::Hundredths),
        ("backlinks", Schema::Count),
        ("refdoms", Schema::Count),
        ("nofollow", Schema::Count),
        ("followed", Schema::Count),
        ("text", Schema::Count),
        ("image", Schema::Count),
        ("homelinks", Schema::Count),
        ("edu", TOTALS),
        ("gov", TOTALS),
        ("ips", INDEXED),
        ("ipv6", INDEXED),
        ("net24", INDEXED),
        ("countries", INDEXED),
        ("lost", INDEXED),
        ("pages", Schema::Count),
        ("external", Schema::Count),
        ("internal", Schema::Count),
        ("firstSeen", INDEXED_DAY),
        ("lastSeen", INDEXED_DAY),
        (
            "since",
            Schema::Object(&[
                ("date", Schema::Day),
                ("backlinks", INDEXED),
                ("refdoms", INDEXED),
                ("newBacklinks", INDEXED),
                ("lostBacklinks", INDEXED),
                ("newRefdoms", INDEXED),
                ("lostRefdoms", INDEXED),
            ]),
        ),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "All figures of a scope in one state of the index",
    description: "Has the figures of the single endpoints, all of the state that `asOf` names, and what \
                  changed after the day `since`. `known` says whether a page of the scope was visited. \
                  Figures of an unfinished search index are null, and `exportFinished` is then false.",
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryReply<'a> {
    url: &'a str,
    scope: &'static str,
    as_of: StateTime,
    export_finished: bool,
    known: &'static str,
    sr: Value<'static>,
    backlinks: u64,
    refdoms: u64,
    nofollow: u64,
    followed: u64,
    text: u64,
    image: u64,
    homelinks: u64,
    edu: Totals,
    gov: Totals,
    #[serde(flatten)]
    indexed: IndexedFigures,
    pages: u64,
    external: u64,
    internal: u64,
    since: PastComparison,
    status: u16,
}

/// The figures that come from the search index.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexedFigures {
    ips: Option<u64>,
    ipv6: Option<u64>,
    net24: Option<u64>,
    countries: Option<u64>,
    lost: Option<u64>,
    first_seen: Option<String>,
    last_seen: Option<String>,
}

/// The totals of an earlier day, and the changes after it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct PastComparison {
    date: String,
    backlinks: Option<u64>,
    refdoms: Option<u64>,
    new_backlinks: Option<u64>,
    lost_backlinks: Option<u64>,
    new_refdoms: Option<u64>,
    lost_refdoms: Option<u64>,
}

impl IndexedFigures {
    fn of(facts: &Facts) -> Self {
        let first = facts.history.first().map_or(0, |change| change.date);
        let day = |date: u32| if date == 0 { String::new() } else { format!("{date:08}") };
        Self {
            ips: Some(facts.addresses.ipv4),
            ipv6: Some(facts.addresses.ipv6),
            net24: Some(facts.addresses.networks[2]),
            countries: Some(facts.countries),
            lost: Some(facts.lost),
            first_seen: Some(day(first)),
            last_seen: Some(day(facts.last_seen)),
        }
    }
}

impl PastComparison {
    fn of(facts: Option<&Facts>, since: Day, deadline: &Deadline) -> Result<Self, QueryError> {
        let date = since.to_string();
        let Some(facts) = facts else { return Ok(Self { date, ..Self::default() }) };
        let earlier = facts.history.partition_point(|change| change.date <= since.as_number());
        let (before, after) = facts.history.split_at(earlier);
        let then = before.last().map(|change| change.active).unwrap_or_default();
        let changes = sum_of_days(after, deadline)?;
        Ok(Self {
            date,
            backlinks: Some(then.backlinks),
            refdoms: Some(then.refdoms),
            new_backlinks: Some(changes.new.backlinks),
            lost_backlinks: Some(changes.lost.backlinks),
            new_refdoms: Some(changes.new.refdoms),
            lost_refdoms: Some(changes.lost.refdoms),
        })
    }
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (since, provenance) = context.since()?;
    let selection = Arc::new(context.selection()?);
    let summary = context.state.searches.summary(&selection, context.deadline)?;
    let reply = reply(context.params.url()?, &selection.scope, &summary, since, context.deadline)?;
    // What is known of a scope without visited pages changes without a commit.
    let is_stable = reply.export_finished && reply.known == "visited";
    let provenance = if is_stable { provenance } else { Provenance::volatile() };
    let provenance = context.explain_empty(reply.backlinks == 0, provenance)?;
    context.render_json(&reply, &[], &provenance)
}

fn reply<'a>(
    url: &'a str,
    scope: &Scope,
    summary: &ScopeSummary,
    since: Day,
    deadline: &Deadline,
) -> Result<SummaryReply<'a>, QueryError> {
    let (counts, facts) = (summary.counts, summary.facts.as_deref());
    Ok(SummaryReply {
        url,
        scope: match scope {
            Scope::Url { .. } => "url",
            Scope::Prefix { .. } => "prefix",
            Scope::Host { .. } => "host",
            Scope::Domain { .. } => "domain",
        },
        as_of: StateTime::new(summary.read_at, summary.change),
        export_finished: facts.is_some(),
        known: match summary.coverage {
            Coverage::Visited(_) => "visited",
            Coverage::Unvisited => "discovered",
            Coverage::Unknown => "unknown",
        },
        sr: summary.rank.into(),
        backlinks: counts.all.backlinks,
        refdoms: counts.all.refdoms,
        nofollow: counts.nofollow,
        followed: counts.all.backlinks - counts.nofollow,
        text: counts.text,
        image: counts.image,
        homelinks: counts.home,
        edu: counts.edu,
        gov: counts.gov,
        indexed: facts.map(IndexedFigures::of).unwrap_or_default(),
        pages: summary.links.pages,
        external: summary.links.external,
        internal: summary.links.internal,
        since: PastComparison::of(facts, since, deadline)?,
        status: 200,
    })
}
