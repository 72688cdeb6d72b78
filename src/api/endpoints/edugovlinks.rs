//! `/edugovlinks`: how many of a scope's backlinks come from schools and authorities, by their public suffix.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::Totals;

pub static ENDPOINT: Endpoint = Endpoint::new("edugovlinks", &[Verb::Get], Answer::Own(answer)).showing(
    Reply::CountedRows(Shape::Object(&[
        ("refdoms", Shape::Count),
        ("links", Shape::Count),
        ("type", Shape::Words(&["edu", "gov"])),
    ])),
);

#[derive(Serialize)]
struct Row {
    refdoms: u64,
    links: u64,
    r#type: &'static str,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = call.counts()?;
    call.explain_empty(counts.edu.backlinks + counts.gov.backlinks == 0)?;
    let row =
        |(r#type, totals): (_, Totals)| Row { refdoms: totals.refdoms, links: totals.backlinks, r#type };
    let response = [("edu", counts.edu), ("gov", counts.gov)].map(row);
    call.counted_rows(&response, response.len(), &[])
}
