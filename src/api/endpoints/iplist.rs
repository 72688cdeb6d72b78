//! `/iplist`: the addresses that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("iplist", &[Verb::Get], Handler::List(&LISTING));

/// Links from an unknown address have no row. If an address was located in several countries, its row has the country
/// of most of its links.
pub static LISTING: Listing = Listing {
    name: "iplist",
    group_by: Some("ip"),
    known: Some("ip"),
    columns: &[
        column("ccode", ColumnExpr::Mode("ccode")),
        column("country", ColumnExpr::ModeGiven { field: "country", given: "ccode" }),
        column("city", ColumnExpr::ModeGiven { field: "city", given: "ccode" }),
        plain("ip"),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    order_fields: &["ip", "ccode", "country", "city", "links"],
    default_order: &["-links"],
    where_fields: &["ccode", "country", "city", "ip", "links"],
    ..Listing::BACKLINKS
};
