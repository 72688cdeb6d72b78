//! `/health` and, under the name that Kubernetes uses, `/livez`: whether the server can read its index. Needs no
//! credentials.

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};

const DOCS: Docs = Docs {
    topic: Topic::Operations,
    summary: "Whether the server can read its index",
    description: "Answers with 200 while the index can be read, and with 503 otherwise. It needs no credentials and \
                  does not count towards rate limits. `health` and `livez` are the same.",
};

pub static HEALTH: Endpoint = endpoint("health");
pub static LIVEZ: Endpoint = endpoint("livez");

const fn endpoint(name: &'static str) -> Endpoint {
    let shown: ReplySchema = ReplySchema::Object(&[("health", Schema::Words(&["ok"]))]);
    Endpoint::new(name, DOCS, &[Verb::Get], Handler::Probe).with_parameters(&[]).with_reply(shown)
}
