//! `/httpstatus`: the HTTP status codes that a scope's pages answered with.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("httpstatus", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "httpstatus",
    rows: RowKind::Pages,
    group_by: Some("code"),
    columns: &[
        plain("code"),
        column("pages", ColumnExpr::Count),
        column("percentage", ColumnExpr::Percentage),
    ],
    order_fields: &["code", "pages"],
    default_order: &["-pages"],
    where_fields: &["code", "pages"],
    ..Listing::BACKLINKS
};
