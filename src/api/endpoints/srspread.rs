//! `/srspread`: the distribution of a scope's backlinks over the IV Search Ranks of their pages, rounded up.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, SCOPE, SHOWGROUP, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("srspread", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[URL, SCOPE, INTERNAL, SHOWGROUP])
    .with_reply(ReplySchema::Rows(Schema::Object(&[("links", Schema::Count), ("sr", Schema::Text)])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks by rank of the linking page",
    description: "Counts the backlinks by the IV Search Rank of their page, rounded up. The row `0` has only pages \
                  with rank 0. `showgroup=true` counts ranks in pairs. Rows without links are kept.",
};

#[derive(Serialize)]
struct Row {
    links: u64,
    sr: String,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let grouped = context.params.one_of("showgroup", &[("true", true), ("false", false)])?;
    let (statistics, provenance) = context.statistics()?;
    let bins = &statistics.by_rank;
    let provenance = context.explain_empty(bins.iter().all(|&links| links == 0), provenance)?;
    context.render_rows(&if grouped == Some(true) { groups(bins) } else { singles(bins) }, &provenance)
}

fn singles(bins: &[u64; 11]) -> Vec<Row> {
    bins.iter().enumerate().map(|(rank, &links)| Row { links, sr: rank.to_string() }).collect()
}

/// Groups the ranks above 0 in pairs.
fn groups(bins: &[u64; 11]) -> Vec<Row> {
    let none = Row { links: bins[0], sr: "0".to_owned() };
    let pairs = bins[1..].chunks(2).zip((1..).step_by(2));
    let pairs = pairs.map(|(pair, low)| Row { links: pair.iter().sum(), sr: format!("{low}-{}", low + 1) });
    std::iter::once(none).chain(pairs).collect()
}
