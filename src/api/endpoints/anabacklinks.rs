//! `/anabacklinks`: how many backlinks a scope has.

use serde::Serialize;

use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::totals;

pub static ENDPOINT: Endpoint = Endpoint::new("anabacklinks", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Row {
    backlinks: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let selection = call.selection()?;
    let snapshot = call.state.store.snapshot();
    let totals = totals(&snapshot, &selection, &call.state.suffixes, call.deadline)?;
    call.one_row(Row { backlinks: totals.backlinks })
}
