//! What the exports share: the `next` parameter, and the answer that hands out the next one.

use serde::Serialize;

use crate::api::{ApiError, Call};
use crate::query::cursor::Binding;
use crate::query::export::Piece;
use crate::urls::Scope;

/// The answer of an export.
#[derive(Serialize)]
struct Reply<'a, T> {
    next: Option<String>,
    response: &'a [T],
    count: usize,
    status: u16,
}

/// The key that the parameter `next` says to read on after; `None` without it.
pub(super) fn after(call: &Call<'_>, scope: &Scope) -> Result<Option<Vec<u8>>, ApiError> {
    let Some(token) = call.params.single("next")? else { return Ok(None) };
    let key = call.state.store.token_key()?;
    let position = Binding { key: &key, endpoint: call.endpoint.name, scope }.open(token)?;
    Ok((!position.is_empty()).then_some(position))
}

/// The JSON of a piece, with the token for the next one.
pub(super) fn reply<T: Serialize>(
    call: &Call<'_>,
    scope: &Scope,
    piece: &Piece<T>,
) -> Result<Vec<u8>, ApiError> {
    let key = call.state.store.token_key()?;
    let binding = Binding { key: &key, endpoint: call.endpoint.name, scope };
    let next = piece.next.as_deref().map(|position| binding.seal(position)).transpose()?;
    let count = piece.rows.len();
    Ok(serde_json::to_vec(&Reply { next, response: &piece.rows, count, status: 200 })?)
}
