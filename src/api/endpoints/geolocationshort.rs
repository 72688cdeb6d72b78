//! `/geolocationshort`: the countries that a scope's backlinks come from.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("geolocationshort", &[Verb::Get], Answer::Summary(&LISTING));

pub static LISTING: Listing = Listing {
    name: "geolocationshort",
    group_by: Some("ccode"),
    columns: &[
        plain("ccode"),
        column("country", Compute::Commonest("country")),
        column("percentage", Compute::Percentage),
        column("links", Compute::Count),
    ],
    order_fields: &["ccode", "country", "links"],
    default_order: &["-links"],
    ..Listing::BACKLINKS
};
