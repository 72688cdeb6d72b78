//! `/iplist`: the addresses that a scope's backlinks come from.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("iplist", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Addresses of linking servers",
    description: "Lists the IP addresses of the servers that the linking pages are on, with place and number of \
                  backlinks. Servers with an unknown address have no row.",
};

/// Links from an unknown address have no row. If an address was located in several countries, its row has the country
/// of most of its links.
pub static LISTING: Listing = Listing {
    name: "iplist",
    group_by: Some("ip"),
    requires_known: Some("ip"),
    columns: &[
        column("ccode", ColumnExpr::Mode("ccode")),
        column("country", ColumnExpr::ModeGiven { field: "country", given: "ccode" }),
        column("city", ColumnExpr::ModeGiven { field: "city", given: "ccode" }),
        field_column("ip"),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    default_order: &["-links"],
    ..Listing::DEFAULT
};
