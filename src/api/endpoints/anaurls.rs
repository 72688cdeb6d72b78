//! `/anaurls`: how many backlinks each of many URLs, hosts or domains has, and from how many domains.

use serde::Serialize;

use super::urls::known;
use crate::api::parameter::{INTERNAL, SCOPE, URLS};
use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anaurls", &[Verb::Get], Answer::Own(answer))
    .taking(&[URLS, SCOPE, INTERNAL])
    .showing(Reply::CountedRows(Shape::Object(&[
        ("backlinks", Shape::Count),
        ("refdoms", Shape::Count),
        ("url", Shape::Text),
    ])));

#[derive(Serialize)]
struct Row {
    backlinks: u64,
    refdoms: u64,
    url: String,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let known = known(call)?.into_iter();
    let rows: Vec<Row> = known
        .map(|known| Row { backlinks: known.totals.backlinks, refdoms: known.totals.refdoms, url: known.url })
        .collect();
    call.counted_rows(&rows, rows.len(), &[])
}
