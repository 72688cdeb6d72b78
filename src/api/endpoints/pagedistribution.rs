//! `/pagedistribution`: the first targets of the external links on a scope's pages, and all others as one; with
//! `direction=in`, of the backlinks into the scope.
//!
//! Targets have no scheme here, and two targets that differ only in the scheme are one row. `refdoms` counts the
//! referring domains of a target in the whole index; for backlinks, these are the domains of the rows.

use super::column;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, ListColumn, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "pagedistribution",
    &[Verb::Get],
    Handler::Distribution { listing: &OUTGOING, incoming: Some(&INCOMING) },
);

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

const EITHER: Listing = Listing {
    order_fields: &["linkedpage", "refdoms", "frequency"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["frequency"],
    ..Listing::BACKLINKS
};

const fn columns(page: &'static str, refdoms: ColumnExpr) -> [ListColumn; 4] {
    [
        column("linkedpage", ColumnExpr::Field(page)),
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", refdoms),
        column("frequency", ColumnExpr::Count),
    ]
}
