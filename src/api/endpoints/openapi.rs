//! `/openapi.json`: the document that describes this API to programs.

use crate::api::openapi::document;
use crate::api::shape::Reply;
use crate::api::{Answer, ApiError, Call, Endpoint, Verb, routes};

pub static ENDPOINT: Endpoint =
    Endpoint::new("openapi.json", &[Verb::Get], Answer::Own(answer)).taking(&[]).showing(Reply::Anything);

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let document = document(routes::all(), call.state)?;
    Ok(serde_json::to_vec(&document)?)
}
