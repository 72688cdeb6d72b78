//! `/geolocationshort`: the countries that a scope's backlinks come from.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint =
    Endpoint::new("geolocationshort", DOCS, &[Verb::Get], Handler::CompleteList(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks by country",
    description: "Counts the backlinks by the country of the server that their page is on. The row of an unknown \
                  country has an empty `ccode`. `percentage` is the share of all backlinks of the scope.",
};

pub static LISTING: Listing = Listing {
    name: "geolocationshort",
    group_by: Some("ccode"),
    columns: &[
        field_column("ccode"),
        column("country", ColumnExpr::Mode("country")),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    default_order: &["-links"],
    ..Listing::DEFAULT
};
