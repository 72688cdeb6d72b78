//! `/summary`: the figures of a scope, all of one state of the index.
//!
//! `asOf` names the state: when it was read, and the number of commits that had changed the index. The figures are those
//! of `anabacklinks`, `domainpopularity`, `linkspread`, `linktypes`, `linkratio`, `edugovlinks`, `ippopularity`, `sr` and
//! `outgoinglinkcount` in that state, which may be as old as `search.refresh`, as in lists. Further figures:
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
//!
//! POST takes the URLs of several scopes and gives a row for each, in the order given and all of the present state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::urls::{check_number, selections};
use crate::api::openapi::schema::{BodySchema, Property, ReplySchema, Schema};
use crate::api::reply::site_state::{AS_OF, KNOWN, StateTime};
use crate::api::request::parameter::{INTERNAL, SCOPE, SCOPE_KINDS, SINCE, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::model::Day;
use crate::query::{
    BacklinkStatistics, Deadline, QueryError, ScopeSummary, Selection, Totals, Value, sum_of_days,
};
use crate::urls::Scope;

const INDEXED: Schema = Schema::OneOf(&[Schema::Count, Schema::Null]);
const INDEXED_DAY: Schema = Schema::OneOf(&[Schema::Pattern("^([0-9]{8})?$"), Schema::Null]);
const TOTALS: Schema = Schema::Object(&[("backlinks", Schema::Count), ("refdoms", Schema::Count)]);

pub static ENDPOINT: Endpoint =
    Endpoint::new("summary", DOCS, &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(&[URL, SCOPE, INTERNAL, SINCE])
        .with_reply(ReplySchema::Object(join!(Property, &[("asOf", AS_OF)], FIGURES)))
        .with_body(BodySchema {
            schema: Schema::OpenObject(&[("urls", Schema::Urls)]),
            example: r#"{"urls": ["example.com", "example.org"]}"#,
        })
        .with_posted_reply(
            ReplySchema::Object(&[
                ("asOf", AS_OF),
                ("exportFinished", Schema::Flag),
                ("response", Schema::List(&Schema::Object(FIGURES))),
                ("count", Schema::Count),
            ]),
            |config| config.max_summaries,
        );

/// The figures of one scope.
const FIGURES: &[Property] = &[
    ("url", Schema::Text),
    ("scope", Schema::Words(SCOPE_KINDS)),
    ("exportFinished", Schema::Flag),
    ("known", KNOWN),
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
];

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "All figures of a scope in one state of the index",
    description: "Has the figures of the single endpoints, all of the state that `asOf` names, and what \
                  changed after the day `since`. `known` says whether a page of the scope was visited. \
                  Figures of an unfinished search index are null, and `exportFinished` is then false. A POST \
                  request has several `urls` in its body, and gets a row for each, all of the present state.",
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryReply<'a> {
    url: &'a str,
    scope: &'static str,
    /// Stands beside the rows if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<StateTime>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// The body of a POST request.
#[derive(Deserialize)]
struct SummariesRequest {
    urls: Vec<String>,
}

/// The summaries of several scopes.
#[derive(Serialize)]
struct SummariesReply<'a> {
    #[serde(rename = "asOf")]
    as_of: StateTime,
    /// Whether all rows are complete.
    #[serde(rename = "exportFinished")]
    export_finished: bool,
    response: Vec<SummaryReply<'a>>,
    count: usize,
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
    fn of(statistics: &BacklinkStatistics) -> Self {
        let first = statistics.history.first().map_or(0, |change| change.date);
        let day = |date: u32| if date == 0 { String::new() } else { format!("{date:08}") };
        Self {
            ips: Some(statistics.addresses.ipv4),
            ipv6: Some(statistics.addresses.ipv6),
            net24: Some(statistics.addresses.networks[2]),
            countries: Some(statistics.countries),
            lost: Some(statistics.lost),
            first_seen: Some(day(first)),
            last_seen: Some(day(statistics.last_seen)),
        }
    }
}

impl PastComparison {
    fn of(
        statistics: Option<&BacklinkStatistics>,
        since: Day,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let date = since.to_string();
        let Some(statistics) = statistics else { return Ok(Self { date, ..Self::default() }) };
        let earlier = statistics.history.partition_point(|change| change.date <= since.as_number());
        let (before, after) = statistics.history.split_at(earlier);
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
    if let Some(body) = context.json_body {
        let request: SummariesRequest = body.parse(context.endpoint.body())?;
        return render_many(context, &request.urls, since);
    }
    let selection = Arc::new(context.selection()?);
    let found = context.state.searches.summary(&selection, context.deadline)?;
    let (provenance, summary) = (provenance.and(Provenance::of_answer(&found)), found.answer);
    let figures = figures(context.params.url()?, &selection.scope, &summary, since, context.deadline)?;
    let as_of = Some(StateTime::from(summary.state));
    let reply = SummaryReply { as_of, status: Some(200), ..figures };
    // What is known of a scope without visited pages changes without a commit.
    let provenance =
        if reply.known == "visited" { provenance } else { provenance.and(Provenance::volatile()) };
    let provenance = match reply.backlinks {
        0 => context.explain_by_coverage(&selection.scope, &summary.coverage, "links", provenance)?,
        _ => provenance,
    };
    context.render_json(&reply, &[], &provenance)
}

/// Renders the summaries of several scopes, all of one state.
fn render_many(context: &RequestContext<'_>, urls: &[String], since: Day) -> Result<JsonReply, ApiError> {
    check_number(context, urls)?;
    let selections: Vec<Arc<Selection>> =
        selections(context, "urls", urls)?.into_iter().map(Arc::new).collect();
    let (summaries, state) = context.state.searches.summaries(&selections, context.deadline)?;
    let mut provenance = Provenance::of_state(state).and(Provenance::volatile());
    let mut response = Vec::with_capacity(urls.len());
    for ((url, selection), summary) in urls.iter().zip(&selections).zip(&summaries) {
        context.deadline.check()?;
        if summary.counts.all.backlinks == 0 {
            let coverage = &summary.coverage;
            provenance = context.explain_by_coverage(&selection.scope, coverage, "links", provenance)?;
        }
        response.push(figures(url, &selection.scope, summary, since, context.deadline)?);
    }
    let export_finished = response.iter().all(|row| row.export_finished);
    let count = response.len();
    let reply = SummariesReply { as_of: state.into(), export_finished, response, count, status: 200 };
    context.render_json(&reply, &[], &provenance)
}

/// Returns the figures of a scope.
fn figures<'a>(
    url: &'a str,
    scope: &Scope,
    summary: &ScopeSummary,
    since: Day,
    deadline: &Deadline,
) -> Result<SummaryReply<'a>, QueryError> {
    let (counts, statistics) = (summary.counts, summary.statistics.as_deref());
    Ok(SummaryReply {
        url,
        scope: match scope {
            Scope::Url { .. } => "url",
            Scope::Prefix { .. } => "prefix",
            Scope::Host { .. } => "host",
            Scope::Domain { .. } => "domain",
        },
        as_of: None,
        export_finished: statistics.is_some(),
        known: summary.coverage.name(),
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
        indexed: statistics.map(IndexedFigures::of).unwrap_or_default(),
        pages: summary.links.pages,
        external: summary.links.external,
        internal: summary.links.internal,
        since: PastComparison::of(statistics, since, deadline)?,
        status: None,
    })
}
