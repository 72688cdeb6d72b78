//! `/outgoingtoppages`: the pages of a scope that have external links.

use super::column;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoingtoppages", &[Verb::Get], Handler::List(&LISTING));

/// Pages have no scheme here. Two pages that differ only in the scheme are one row.
pub static LISTING: Listing = Listing {
    name: "outgoingtoppages",
    rows: RowKind::Outgoing,
    group_by: Some("backlinkpage"),
    columns: &[column("webpage", ColumnExpr::Field("backlinkpage")), column("extLinks", ColumnExpr::Count)],
    order_fields: &["extLinks", "webpage"],
    default_order: &["-extLinks"],
    ..Listing::BACKLINKS
};
