//! `/linkratio`: how many of a scope's backlinks lead to its home page, and how many deeper.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("linkratio", &[Verb::Get], Answer::Own(answer)).showing(Reply::Rows(Shape::OneOf(&[
        Shape::Object(&[("homelinks", Shape::Count)]),
        Shape::Object(&[("deeplinks", Shape::Count)]),
    ])));

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Row {
    Homelinks(u64),
    Deeplinks(u64),
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = call.counts()?;
    call.explain_empty(counts.all.backlinks == 0)?;
    call.rows(&[Row::Homelinks(counts.home), Row::Deeplinks(counts.all.backlinks - counts.home)])
}
