//! `/linktextdistribution`: the first anchor texts of a scope's backlinks, and all others as one.

use super::column;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "linktextdistribution",
    &[Verb::Get],
    Handler::Distribution { listing: &LISTING, incoming: None },
);

pub static LISTING: Listing = Listing {
    name: "linktextdistribution",
    group_by: Some("linktext"),
    columns: &[
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("anchortext", ColumnExpr::Field("linktext")),
        column("frequency", ColumnExpr::Count),
    ],
    order_fields: &["anchortext", "refdoms", "frequency"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["frequency"],
    ..Listing::BACKLINKS
};
