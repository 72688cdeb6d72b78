//! `/`: what this server is and which endpoints it has.

use serde::Serialize;

use crate::api::{Answer, ApiError, Call, ENDPOINTS, Endpoint, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("", &[Verb::Get], Answer::Own(answer));

#[derive(Serialize)]
struct Reply {
    name: &'static str,
    version: &'static str,
    endpoints: Vec<&'static str>,
    status: u16,
}

fn answer(_: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    Ok(serde_json::to_vec(&Reply {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.name).collect(),
        status: 200,
    })?)
}
