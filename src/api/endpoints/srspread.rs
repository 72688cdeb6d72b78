//! `/srspread`: the distribution of a scope's backlinks over the IV Search Ranks of their pages, rounded up.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, SCOPE, SHOWGROUP, URL};
use crate::api::{ApiError, Endpoint, Handler, JsonReply, RequestContext, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("srspread", &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[URL, SCOPE, INTERNAL, SHOWGROUP])
    .with_reply(ReplySchema::Rows(Schema::Object(&[("links", Schema::Count), ("sr", Schema::Text)])));

#[derive(Serialize)]
struct Row {
    links: u64,
    sr: String,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let grouped = context.params.one_of("showgroup", &[("true", true), ("false", false)])?;
    let (facts, provenance) = context.facts()?;
    let bins = &facts.by_rank;
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
