//! `/history`: the backlinks and referring domains of a scope over time, one row for each day, week or month.
//!
//! Every step has a row, whether links changed or not. Steps are whole: the first one contains `from`, and the last one
//! `to`. `date` is the first day of the step: a Monday for weeks (ISO 8601). The totals are those at the end of its last
//! day. New and lost links and domains are the sums of the days, as `newandlost-histogram` counts them, so that for links
//! and for domains: total = total of the row before + new - lost. `firstSeen` counts the links that were seen for the
//! first time, without those that came back.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::day_range::{check_order, parse_day};
use crate::api::request::parameter::{FROM_FIRST, INTERNAL, SCOPE, STEP, TO, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::model::Day;
use crate::query::{DayChange, ErrorCode, TimeStep, timeline};

pub static ENDPOINT: Endpoint = Endpoint::new("history", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[URL, SCOPE, INTERNAL, FROM_FIRST, TO, STEP])
    .with_reply(ReplySchema::Object(&[
        ("history", Schema::List(&ROW)),
        ("step", Schema::Words(&["day", "week", "month"])),
        ("exportFinished", Schema::Flag),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Backlinks and referring domains over time",
    description: "Has one row for each `step` of `from`..`to`, whether links changed or not. Steps are \
                  whole: the first one contains `from`, and the last one `to`. The totals are those at the \
                  end of the last day of the step. New and lost links and domains are the sums of the \
                  days, as `newandlost-histogram` counts them. `firstSeen` counts the links that were seen \
                  for the first time.",
};

const ROW: Schema = Schema::Object(&[
    ("date", Schema::DayNumber),
    ("backlinks", Schema::Count),
    ("refdoms", Schema::Count),
    ("newBacklinks", Schema::Count),
    ("lostBacklinks", Schema::Count),
    ("newRefdoms", Schema::Count),
    ("lostRefdoms", Schema::Count),
    ("firstSeen", Schema::Count),
]);

const STEPS: &[(&str, (&str, TimeStep))] = &[
    ("day", ("day", TimeStep::Day)),
    ("week", ("week", TimeStep::Week)),
    ("month", ("month", TimeStep::Month)),
];

#[derive(Serialize)]
struct HistoryReply {
    history: Vec<Row>,
    step: &'static str,
    #[serde(rename = "exportFinished")]
    export_finished: bool,
    status: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    date: u32,
    backlinks: u64,
    refdoms: u64,
    new_backlinks: u64,
    lost_backlinks: u64,
    new_refdoms: u64,
    lost_refdoms: u64,
    first_seen: u64,
}

impl From<&DayChange> for Row {
    fn from(change: &DayChange) -> Self {
        let DayChange { date, first_seen, new, lost, active } = *change;
        Self {
            date,
            backlinks: active.backlinks,
            refdoms: active.refdoms,
            new_backlinks: new.backlinks,
            lost_backlinks: lost.backlinks,
            new_refdoms: new.refdoms,
            lost_refdoms: lost.refdoms,
            first_seen: first_seen.backlinks,
        }
    }
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (name, step) = context.params.one_of("step", STEPS)?.unwrap_or(("day", TimeStep::Day));
    let (from, given) = (parse_day(context.params, "from")?, parse_day(context.params, "to")?);
    let to = given.unwrap_or_else(context.state.today);
    from.map_or(Ok(()), |from| check_order(from, to))?;
    let (statistics, provenance) = context.statistics()?;
    let first = statistics.history.first().and_then(|change| Day::parse(&format!("{:08}", change.date)).ok());
    let from = from.or(first).unwrap_or(to).min(to);
    let max = context.state.config.max_history_rows;
    let rows = timeline(&statistics.history, from..=to, step, max, context.deadline)?.ok_or_else(|| {
        let advice = match step {
            TimeStep::Day => "use step=week or step=month, or a later from",
            TimeStep::Week => "use step=month, or a later from",
            TimeStep::Month => "give a later from or an earlier to",
        };
        let message = format!("{from} to {to} are more than {max} rows by {name}; {advice}");
        ApiError::without_place("from", ErrorCode::TooLarge, message)
    })?;
    let until_today = if given.is_none() { Provenance::volatile() } else { Provenance::current() };
    let provenance = context.explain_empty(statistics.history.is_empty(), until_today.and(provenance))?;
    let history = rows.iter().map(Row::from).collect();
    let reply = HistoryReply { history, step: name, export_finished: true, status: 200 };
    context.render_json(&reply, &[], &provenance)
}
