//! `/iplist`: the addresses that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("iplist", &[Verb::Get], Answer::List(&LISTING));

/// Links from an unknown address have no row. An address that was placed in several countries stands where most
/// of its links say.
pub static LISTING: Listing = Listing {
    name: "iplist",
    group_by: Some("ip"),
    known: Some("ip"),
    columns: &[
        column("ccode", Compute::Commonest("ccode")),
        column("country", Compute::CommonestBeside { field: "country", beside: "ccode" }),
        column("city", Compute::CommonestBeside { field: "city", beside: "ccode" }),
        plain("ip"),
        column("percentage", Compute::Percentage),
        column("links", Compute::Count),
    ],
    order_fields: &["ip", "ccode", "country", "city", "links"],
    default_order: &["-links"],
    where_fields: &["ccode", "country", "city", "ip", "links"],
    ..Listing::BACKLINKS
};
