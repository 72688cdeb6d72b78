//! `/referringdomains`: the registrable domains that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("referringdomains", &[Verb::Get], Answer::List(&LISTING));

/// `ip` is the address with most links, the lowest of equals; `ccode` is where that address stands.
pub static LISTING: Listing = Listing {
    name: "referringdomains",
    group_by: Some("domain"),
    columns: &[
        column("dsCount", Compute::RowNumber),
        column("ccode", Compute::CommonestBeside { field: "ccode", beside: "ip" }),
        plain("domain"),
        column("ip", Compute::Commonest("ip")),
        column("links", Compute::Count),
        column("ip_count_additional", Compute::Further("ip")),
        column("sr", Compute::DomainRank("domain")),
    ],
    order_fields: &["domain", "sr", "links"],
    default_order: &["-links"],
    where_fields: &["ccode", "ip", "links", "sr"],
    ..Listing::BACKLINKS
};
