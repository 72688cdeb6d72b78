//! `/linktexts`: the anchor texts of a scope's backlinks.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linktexts", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "linktexts",
    group_by: Some("linktext"),
    columns: &[
        column("percentage", Compute::Percentage),
        column("refdoms", Compute::Distinct("domain")),
        column("anchortext", Compute::Field("linktext")),
        column("type", Compute::ImageShare("image")),
        column("frequency", Compute::Count),
    ],
    order_fields: &["anchortext", "frequency", "refdoms"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["anchortext", "frequency"],
    ..Listing::BACKLINKS
};
