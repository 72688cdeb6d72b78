//! `/ippopularity`: from how many addresses and networks a scope's backlinks come.

use serde::Serialize;

use crate::api::shape::{Reply, Shape};
use crate::api::{Answer, ApiError, Call, Endpoint, Verb};
use crate::query::Addresses;

pub static ENDPOINT: Endpoint =
    Endpoint::new("ippopularity", &[Verb::Get], Answer::Own(answer)).showing(Reply::Rows(Shape::Object(&[
        ("ip", Shape::Count),
        ("class_a", Shape::Count),
        ("class_b", Shape::Count),
        ("class_c", Shape::Count),
        ("class_d", Shape::Count),
        ("class_e", Shape::Count),
        ("ipv6", Shape::Count),
        ("net8", Shape::Count),
        ("net16", Shape::Count),
        ("net24", Shape::Count),
    ])));

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

fn answer(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let Addresses { ipv4: ip, ipv6, classes, networks } = call.facts()?.addresses;
    call.explain_empty(ip + ipv6 == 0)?;
    let [class_a, class_b, class_c, class_d, class_e] = classes;
    let [net8, net16, net24] = networks;
    call.rows(&[Row { ip, class_a, class_b, class_c, class_d, class_e, ipv6, net8, net16, net24 }])
}
