//! `/tldlist`: the top-level domains that a scope's backlinks come from.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tldlist", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks by top-level domain",
    description: "Counts the backlinks by the last label of the host that they are on. `diffdomains` counts the \
                  registrable domains with this label. IP addresses have the label `\"\"`.",
};

pub static LISTING: Listing = Listing {
    name: "tldlist",
    group_by: Some("toplevel"),
    columns: &[
        column("diffdomains", ColumnExpr::Distinct("domain")),
        field_column("toplevel"),
        column("percentage", ColumnExpr::Percentage),
        column("links", ColumnExpr::Count),
    ],
    default_order: &["-links"],
    ..Listing::DEFAULT
};
