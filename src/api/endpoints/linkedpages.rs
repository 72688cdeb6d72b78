//! `/linkedpages`: the pages of a scope that backlinks lead to.

use super::column;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linkedpages", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "linkedpages",
    group_by: Some("linktarget"),
    columns: &[
        column("linkedpage", ColumnExpr::Field("linktarget")),
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("frequency", ColumnExpr::Count),
    ],
    order_fields: &["linkedpage", "frequency", "refdoms"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["linkedpage", "frequency"],
    ..Listing::BACKLINKS
};
