//! `/sr`: the IV Search Rank of a page, host or domain.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::{Value, scope_rank};

pub static ENDPOINT: Endpoint = Endpoint::new("sr", &[Verb::Get], Answer::Own(answer))
    .showing(Reply::Rows(Shape::Object(&[("sr", Shape::Hundredths)])));

#[derive(Serialize)]
struct Row {
    sr: Value<'static>,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let rank = call.ask(|scan| scope_rank(scan.snapshot, &scan.selection.scope))?;
    call.rows(&[Row { sr: rank.into() }])
}
