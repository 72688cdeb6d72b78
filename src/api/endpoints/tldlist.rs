//! `/tldlist`: the top-level domains that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tldlist", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "tldlist",
    group_by: Some("toplevel"),
    columns: &[
        column("diffdomains", ColumnExpr::Distinct("domain")),
        plain("toplevel"),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    order_fields: &["toplevel", "links", "diffdomains"],
    default_order: &["-links"],
    where_fields: &["links"],
    ..Listing::BACKLINKS
};
