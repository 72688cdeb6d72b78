//! `/linktexts`: the anchor texts of a scope's backlinks.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linktexts", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Anchor texts",
    description: "Lists the anchor texts of the backlinks. `frequency` counts the backlinks with the text, and \
                  `refdoms` their registrable domains. `type` says whether these links are texts, images or both. \
                  The text of an image is its `alt`.",
};

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
    default_order: &["-refdoms", "-frequency"],
    ..Listing::DEFAULT
};
