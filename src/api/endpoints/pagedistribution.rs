//! `/pagedistribution`: the first targets of the external links on a scope's pages, and all others as one; with
//! `direction=in`, of the backlinks into the scope.
//!
//! Targets are named without their scheme; two that differ in nothing else are one row. `refdoms` are a target's
//! referring domains in the whole index, which for backlinks are those of the rows at hand.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, ListColumn, Listing, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "pagedistribution",
    &[Verb::Get],
    Answer::Distribution { listing: &OUTGOING, turned: Some(&INCOMING) },
);

/// Where the scope's pages lead to.
pub static OUTGOING: Listing = Listing {
    name: "pagedistribution",
    rows: Rows::Outgoing,
    group_by: Some("linktarget"),
    columns: &columns("linktarget", Compute::RefDomains("linktarget")),
    ..EITHER
};

/// Where others lead to in the scope.
pub static INCOMING: Listing = Listing {
    name: "pagedistribution-in",
    group_by: Some("linkedpage"),
    columns: &columns("linkedpage", Compute::Distinct("domain")),
    ..EITHER
};

const EITHER: Listing = Listing {
    order_fields: &["linkedpage", "refdoms", "frequency"],
    default_order: &["-refdoms", "-frequency"],
    where_fields: &["frequency"],
    ..Listing::BACKLINKS
};

const fn columns(page: &'static str, refdoms: Compute) -> [ListColumn; 4] {
    [
        column("linkedpage", Compute::Field(page)),
        column("percentage", Compute::Percentage),
        column("refdoms", refdoms),
        column("frequency", Compute::Count),
    ]
}
