//! `/`: what this server is and which endpoints it has.

use serde::Serialize;

use crate::api::shape::{self, Shape};
use crate::api::{Answer, ApiError, Call, ENDPOINTS, Endpoint, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("", &[Verb::Get], Answer::Own(answer)).taking(&[]).showing(shape::Reply::Object(&[
        ("name", Shape::Text),
        ("version", Shape::Text),
        ("endpoints", Shape::List(&Shape::Text)),
    ]));

#[derive(Serialize)]
struct Reply {
    name: &'static str,
    version: &'static str,
    endpoints: Vec<&'static str>,
    status: u16,
}

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    call.is_passing();
    let reply = Reply {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.name).collect(),
        status: 200,
    };
    call.json(&reply, &[])
}
