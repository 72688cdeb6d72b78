//! `/sr`: the IV Search Rank of a page, host or domain.

use serde::Serialize;

use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::{Value, scope_rank};

pub static ENDPOINT: Endpoint = Endpoint::new("sr", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Row {
    sr: Value<'static>,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let selection = call.selection()?;
    let rank = scope_rank(&call.state.store.snapshot(), &selection.scope)?;
    call.one_row(Row { sr: Value::Hundredths(u32::from(rank.0)) })
}
