//! `/domainpopularity`: from how many registrable domains a scope's backlinks come.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("domainpopularity", &[Verb::Get], Answer::Own(answer))
    .showing(Reply::Rows(Shape::Object(&[("domainpopularity", Shape::Count)])));

#[derive(Serialize)]
struct Row {
    domainpopularity: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let domainpopularity = call.counts()?.all.refdoms;
    call.explain_empty(domainpopularity == 0)?;
    call.rows(&[Row { domainpopularity }])
}
