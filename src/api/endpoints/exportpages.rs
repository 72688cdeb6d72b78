//! `/exportpages`: every page of a scope that ever answered, with its links, in key order.

use super::pieces::{after, reply};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::export;

pub static ENDPOINT: Endpoint = Endpoint::new("exportpages", &[Verb::Get], Answer::Own(answer));

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let selection = call.selection()?;
    let limit = call.params.limit(&call.state.config)?;
    let after = after(call, &selection.scope)?;
    let snapshot = call.state.store.snapshot();
    let piece = export::pages(&snapshot, &selection.scope, after.as_deref(), limit, call.deadline)?;
    reply(call, &selection.scope, &piece)
}
