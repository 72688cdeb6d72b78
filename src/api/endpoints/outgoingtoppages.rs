//! `/outgoingtoppages`: the pages of a scope that have external links.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoingtoppages", &[Verb::Get], Answer::List(&LISTING));

/// Pages are named without their scheme; two that differ in nothing else are one row.
pub static LISTING: Listing = Listing {
    name: "outgoingtoppages",
    rows: Rows::Outgoing,
    group_by: Some("backlinkpage"),
    columns: &[column("webpage", Compute::Field("backlinkpage")), column("extLinks", Compute::Count)],
    order_fields: &["extLinks", "webpage"],
    default_order: &["-extLinks"],
    ..Listing::BACKLINKS
};
