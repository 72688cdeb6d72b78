//! `/linkspread`: how many of a scope's backlinks pass rank on, and how many do not.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("linkspread", &[Verb::Get], Answer::Own(answer)).showing(Reply::Rows(Shape::OneOf(&[
        Shape::Object(&[("follow", Shape::Count)]),
        Shape::Object(&[("nofollow", Shape::Count)]),
    ])));

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Row {
    Follow(u64),
    Nofollow(u64),
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = call.counts()?;
    call.explain_empty(counts.all.backlinks == 0)?;
    call.rows(&[Row::Follow(counts.all.backlinks - counts.nofollow), Row::Nofollow(counts.nofollow)])
}
