//! `/tldlist`: the top-level domains that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tldlist", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "tldlist",
    group_by: Some("toplevel"),
    columns: &[
        column("diffdomains", Compute::Distinct("domain")),
        plain("toplevel"),
        column("percentage", Compute::Percentage),
        column("links", Compute::Count),
    ],
    order_fields: &["toplevel", "links", "diffdomains"],
    default_order: &["-links"],
    where_fields: &["links"],
    ..Listing::BACKLINKS
};
