//! `/linkedpages`: the pages of a scope that backlinks lead to.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linkedpages", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "linkedpages",
    group_by: Some("linktarget"),
    columns: &[
        column("linkedpage", Compute::Field("linktarget")),
        column("percentage", Compute::Percentage),
        column("refdoms", Compute::Distinct("domain")),
        column("frequency", Compute::Count),
    ],
    order_fields: &["linkedpage", "frequency", "refdoms"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["linkedpage", "frequency"],
    ..Listing::BACKLINKS
};
