//! `/linktextdistribution`: the first anchor texts of a scope's backlinks, and all others as one.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "linktextdistribution",
    DOCS,
    &[Verb::Get],
    Handler::Distribution { listing: &LISTING, incoming: None },
);

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Most common anchor texts",
    description: "Has the `top` first anchor texts of the backlinks, and one row for the rest. The row of the rest \
                  is named `others`, comes last and has `\"rest\": true`. `percentage` is the share of all backlinks \
                  of the scope.",
};

pub static LISTING: Listing = Listing {
    name: "linktextdistribution",
    group_by: Some("linktext"),
    columns: &[
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("anchortext", ColumnExpr::Field("linktext")),
        column("frequency", ColumnExpr::Count),
    ],
    default_order: &["-refdoms", "-frequency"],
    ..Listing::DEFAULT
};
