//! `/health` and, under the name that Kubernetes uses, `/livez`: whether the server can read its index. Needs no
//! credentials.

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{Endpoint, Handler, Verb};

pub static HEALTH: Endpoint = endpoint("health");
pub static LIVEZ: Endpoint = endpoint("livez");

const fn endpoint(name: &'static str) -> Endpoint {
    let shown: ReplySchema = ReplySchema::Object(&[("health", Schema::Words(&["ok"]))]);
    Endpoint::new(name, &[Verb::Get], Handler::Probe).with_parameters(&[]).with_reply(shown)
}
