//! `/tagtypes`: the elements and redirects that a scope's backlinks are made by.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tagtypes", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks by tag",
    description: "Counts the backlinks by the element or redirect that they are made by: `a`, `aimg` (an `a` with an \
                  image), `area`, `iframe`, `301` and others.",
};

pub static LISTING: Listing = Listing {
    name: "tagtypes",
    group_by: Some("tag"),
    columns: &[
        field_column("tag"),
        column("frequency", ColumnExpr::Count),
        column("refdoms", ColumnExpr::Distinct("domain")),
    ],
    default_order: &["-tag"],
    ..Listing::DEFAULT
};
