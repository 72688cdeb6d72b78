//! `/ippopularity`: from how many addresses and networks a scope's backlinks come.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::Addresses;

pub static ENDPOINT: Endpoint = Endpoint::new("ippopularity", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_reply(ReplySchema::Rows(Schema::Object(&[
        ("ip", Schema::Count),
        ("class_a", Schema::Count),
        ("class_b", Schema::Count),
        ("class_c", Schema::Count),
        ("class_d", Schema::Count),
        ("class_e", Schema::Count),
        ("ipv6", Schema::Count),
        ("net8", Schema::Count),
        ("net16", Schema::Count),
        ("net24", Schema::Count),
    ])));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Number of linking addresses and networks",
    description: "Counts the distinct IPv4 addresses that backlinks come from. `class_a` to `class_e` divide them by \
                  their first octet. `net8`, `net16` and `net24` count the distinct networks of these lengths. \
                  `ipv6` counts the distinct IPv6 addresses.",
};

/// `ip` counts IPv4 addresses, which the classes partition; `net8` to `net24` count their networks.
#[derive(Serialize)]
struct Row {
    ip: u64,
    class_a: u64,
    class_b: u64,
    class_c: u64,
    class_d: u64,
    class_e: u64,
    ipv6: u64,
    net8: u64,
    net16: u64,
    net24: u64,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let (statistics, provenance) = context.statistics()?;
    let Addresses { ipv4: ip, ipv6, classes, networks } = statistics.addresses;
    let provenance = context.explain_empty(ip + ipv6 == 0, provenance)?;
    let [class_a, class_b, class_c, class_d, class_e] = classes;
    let [net8, net16, net24] = networks;
    let row = Row { ip, class_a, class_b, class_c, class_d, class_e, ipv6, net8, net16, net24 };
    context.render_rows(&[row], &provenance)
}
