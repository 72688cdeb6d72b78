//! `/geolocationshort`: the countries that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("geolocationshort", &[Verb::Get], Handler::Summary(&LISTING));

pub static LISTING: Listing = Listing {
    name: "geolocationshort",
    group_by: Some("ccode"),
    columns: &[
        plain("ccode"),
        column("country", ColumnExpr::Mode("country")),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    order_fields: &["ccode", "country", "links"],
    default_order: &["-links"],
    ..Listing::BACKLINKS
};
