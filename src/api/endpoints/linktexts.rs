//! `/linktexts`: the anchor texts of a scope's backlinks.

use super::column;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linktexts", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "linktexts",
    group_by: Some("linktext"),
    columns: &[
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("anchortext", ColumnExpr::Field("linktext")),
        column("type", ColumnExpr::ImageShare("image")),
        column("frequency", ColumnExpr::Count),
    ],
    order_fields: &["anchortext", "frequency", "refdoms"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["anchortext", "frequency"],
    ..Listing::BACKLINKS
};
