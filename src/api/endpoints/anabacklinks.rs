//! `/anabacklinks`: how many backlinks a scope has.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("anabacklinks", &[Verb::Get], Answer::Own(answer))
    .showing(Reply::Rows(Shape::Object(&[("backlinks", Shape::Count)])));

#[derive(Serialize)]
struct Row {
    backlinks: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let backlinks = call.counts()?.all.backlinks;
    call.explain_empty(backlinks == 0)?;
    call.rows(&[Row { backlinks }])
}
