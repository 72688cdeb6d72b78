//! `/domainpopularity`: from how many registrable domains a scope's backlinks come.

use serde::Serialize;

use crate::api::call::rows;
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("domainpopularity", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Row {
    domainpopularity: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    rows(&[Row { domainpopularity: call.counts()?.all.refdoms }])
}
