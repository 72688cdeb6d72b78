//! `/referringdomains`: the registrable domains that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint =
    Endpoint::new("referringdomains", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "List of referring domains",
    description: "Lists the registrable domains of the pages that the backlinks are on. `links` counts the backlinks \
                  from the domain. `ip` is the address with most of them, `ccode` its country, and \
                  `ip_count_additional` the number of other addresses. `sr` is the rank of the domain.",
};

/// `ip` is the address with most links, of equals the lowest one; `ccode` is the country of that address.
pub static LISTING: Listing = Listing {
    name: "referringdomains",
    group_by: Some("domain"),
    columns: &[
        column("dsCount", ColumnExpr::RowNumber),
        column("ccode", ColumnExpr::ModeGiven { field: "ccode", given: "ip" }),
        plain("domain"),
        column("ip", ColumnExpr::Mode("ip")),
        column("links", ColumnExpr::Count),
        column("ip_count_additional", ColumnExpr::DistinctMinusOne("ip")),
        column("sr", ColumnExpr::DomainRank("domain")),
    ],
    default_order: &["-links"],
    ..Listing::BACKLINKS
};
