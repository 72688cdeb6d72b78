//! `/srspread`: how a scope's backlinks spread over the IV Search Ranks of their pages, rounded up.

use serde::Serialize;

use crate::api::parameter::{INTERNAL, SCOPE, SHOWGROUP, URL};
use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("srspread", &[Verb::Get], Answer::Own(answer))
    .taking(&[URL, SCOPE, INTERNAL, SHOWGROUP])
    .showing(Reply::Rows(Shape::Object(&[("links", Shape::Count), ("sr", Shape::Text)])));

#[derive(Serialize)]
struct Row {
    links: u64,
    sr: String,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let grouped = call.params.one_of("showgroup", &[("true", true), ("false", false)])?;
    let facts = call.facts()?;
    let bins = &facts.by_rank;
    call.explain_empty(bins.iter().all(|&links| links == 0))?;
    call.rows(&if grouped == Some(true) { groups(bins) } else { singles(bins) })
}

fn singles(bins: &[u64; 11]) -> Vec<Row> {
    bins.iter().enumerate().map(|(rank, &links)| Row { links, sr: rank.to_string() }).collect()
}

/// Ranks above 0 in pairs.
fn groups(bins: &[u64; 11]) -> Vec<Row> {
    let none = Row { links: bins[0], sr: "0".to_owned() };
    let pairs = bins[1..].chunks(2).zip((1..).step_by(2));
    let pairs = pairs.map(|(pair, low)| Row { links: pair.iter().sum(), sr: format!("{low}-{}", low + 1) });
    std::iter::once(none).chain(pairs).collect()
}
