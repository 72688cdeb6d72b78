//! `/health`: whether the server can read its store.

use serde::Serialize;

use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("health", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Reply {
    health: &'static str,
    status: u16,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    call.state.store.token_key()?;
    Ok(serde_json::to_vec(&Reply { health: "ok", status: 200 })?)
}
