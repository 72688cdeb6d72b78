//! `/health` and, under the name that Kubernetes uses, `/livez`: whether the server can read its index. Answered at the
//! door, without credentials.

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, Endpoint, Verb};

pub static HEALTH: Endpoint = endpoint("health");
pub static LIVEZ: Endpoint = endpoint("livez");

const fn endpoint(name: &'static str) -> Endpoint {
    let shown: Reply = Reply::Object(&[("health", Shape::Words(&["ok"]))]);
    Endpoint::new(name, &[Verb::Get], Answer::Probe).taking(&[]).showing(shown)
}
