//! `/linktypes`: how many of a scope's backlinks are text, and how many are images; frames and redirects are neither.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("linktypes", &[Verb::Get], Answer::Own(answer)).showing(Reply::CountedRows(Shape::Object(
        &[("linktype", Shape::Words(&["text", "image"])), ("links", Shape::Count)],
    )));

#[derive(Serialize)]
struct Row {
    linktype: &'static str,
    links: u64,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let counts = call.counts()?;
    call.explain_empty(counts.text + counts.image == 0)?;
    let types = [("text", counts.text), ("image", counts.image)];
    call.counted_rows(&types.map(|(linktype, links)| Row { linktype, links }), types.len(), &[])
}
