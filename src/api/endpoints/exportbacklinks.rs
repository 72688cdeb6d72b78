//! `/exportbacklinks`: every external link into a scope, active or not, in key order.

use super::pieces::{after, reply};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::export;

pub static ENDPOINT: Endpoint = Endpoint::new("exportbacklinks", &[Verb::Get], Answer::Own(answer));

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let selection = call.selection()?;
    let limit = call.params.limit(&call.state.config)?;
    let after = after(call, &selection.scope)?;
    let piece = export::backlinks(
        &call.state.store.snapshot(),
        &selection,
        after.as_deref(),
        limit,
        &call.state.suffixes,
        call.deadline,
    )?;
    reply(call, &selection.scope, &piece)
}
