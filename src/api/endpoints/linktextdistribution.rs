//! `/linktextdistribution`: the first anchor texts of a scope's backlinks, and all others as one.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "linktextdistribution",
    &[Verb::Get],
    Answer::Distribution { listing: &LISTING, turned: None },
);

pub static LISTING: Listing = Listing {
    name: "linktextdistribution",
    group_by: Some("linktext"),
    columns: &[
        column("percentage", Compute::Percentage),
        column("refdoms", Compute::Distinct("domain")),
        column("anchortext", Compute::Field("linktext")),
        column("frequency", Compute::Count),
    ],
    order_fields: &["anchortext", "refdoms", "frequency"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["frequency"],
    ..Listing::BACKLINKS
};
