//! `/pagedistribution`: the first targets of the external links on a scope's pages, and all others as one; with
//! `direction=in`, of the backlinks into the scope.
//!
//! Targets have no scheme here, and two targets that differ only in the scheme are one row. `refdoms` counts the
//! referring domains of a target in the whole index; for backlinks, these are the domains of the rows.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, ListColumn, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "pagedistribution",
    DOCS,
    &[Verb::Get],
    Handler::Distribution { listing: &OUTGOING, incoming: Some(&INCOMING) },
);

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Most linked targets",
    description: "Has the `top` first targets of the active external links on the pages of the scope, and one row \
                  for the rest. With `direction=in`, the targets are those of the backlinks into the scope. \
                  `refdoms` counts the referring domains of the target in the whole index.",
};

/// The targets of the links on the scope's pages.
pub static OUTGOING: Listing = Listing {
    name: "pagedistribution",
    rows: RowKind::Outgoing,
    group_by: Some("linktarget"),
    columns: &columns("linktarget", ColumnExpr::RefDomains("linktarget")),
    ..EITHER
};

/// The targets of the backlinks into the scope.
pub static INCOMING: Listing = Listing {
    name: "pagedistribution-in",
    group_by: Some("linkedpage"),
    columns: &columns("linkedpage", ColumnExpr::Distinct("domain")),
    ..EITHER
};

const EITHER: Listing = Listing { default_order: &["-refdoms", "-frequency"], ..Listing::DEFAULT };

const fn columns(page: &'static str, refdoms: ColumnExpr) -> [ListColumn; 4] {
    [
        column("linkedpage", ColumnExpr::Field(page)),
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", refdoms),
        column("frequency", ColumnExpr::Count),
    ]
}
