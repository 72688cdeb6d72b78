//! `/backlinkshort`: backlinks, referring domains and IV Search Rank of many URLs, hosts or domains.

use serde::Serialize;

use super::urls::known;
use crate::api::parameter::{INTERNAL, SCOPE, URLS};
use crate::api::shape::{Body, Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::Value;

pub static ENDPOINT: Endpoint = Endpoint::new("backlinkshort", &[Verb::Get, Verb::Post], Answer::Own(answer))
    .taking(&[URLS, SCOPE, INTERNAL])
    .showing(Reply::CountedRows(Shape::Object(&[
        ("backlinks", Shape::Count),
        ("refdoms", Shape::Count),
        ("url", Shape::Text),
        ("sr", Shape::Hundredths),
    ])))
    .posting(Body { shape: Shape::Urls, example: "[\"example.com\", \"example.org\"]" });

#[derive(Serialize)]
struct Row {
    backlinks: u64,
    refdoms: u64,
    url: String,
    sr: Value<'static>,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let known = known(call)?.into_iter();
    let rows: Vec<Row> = known
        .map(|known| Row {
            backlinks: known.totals.backlinks,
            refdoms: known.totals.refdoms,
            url: known.url,
            sr: known.rank.into(),
        })
        .collect();
    call.counted_rows(&rows, rows.len(), &[])
}
