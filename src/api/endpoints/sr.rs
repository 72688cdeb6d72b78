//! `/sr`: the IV Search Rank of a page, host or domain.

use serde::Serialize;

use crate::api::call::rows;
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::{Value, scope_rank};

pub static ENDPOINT: Endpoint = Endpoint::new("sr", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Row {
    sr: Value<'static>,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let rank = call.ask(|scan| scope_rank(scan.snapshot, &scan.selection.scope))?;
    rows(&[Row { sr: rank.into() }])
}
