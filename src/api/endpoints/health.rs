//! `/health`: whether the server can read its store.

use serde::Serialize;

use crate::api::shape::{self, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("health", &[Verb::Get], Answer::Own(answer))
    .taking(&[])
    .showing(shape::Reply::Object(&[("health", Shape::Words(&["ok"]))]));

#[derive(Serialize)]
struct Reply {
    health: &'static str,
    status: u16,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    call.state.store.token_key()?;
    call.is_passing();
    call.json(&Reply { health: "ok", status: 200 }, &[])
}
