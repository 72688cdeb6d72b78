//! `/anabacklinks`: how many backlinks a scope has.

use serde::Serialize;

use crate::api::call::rows;
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anabacklinks", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Row {
    backlinks: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    rows(&[Row { backlinks: call.counts()?.all.backlinks }])
}
