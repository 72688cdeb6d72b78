//! `/anaurls`: how many backlinks each of many URLs, hosts or domains has, and from how many domains.

use serde::Serialize;

use super::urls::known;
use crate::api::call::counted_rows;
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anaurls", &[Verb::Get], Answer::Own(answer));

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
    counted_rows(&rows, rows.len(), &[])
}
