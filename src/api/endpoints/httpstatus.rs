//! `/httpstatus`: the HTTP status codes that a scope's pages answered with.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new("httpstatus", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "httpstatus",
    rows: Rows::Pages,
    group_by: Some("code"),
    columns: &[plain("code"), column("pages", Compute::Count), column("percentage", Compute::Percentage)],
    order_fields: &["code", "pages"],
    default_order: &["-pages"],
    where_fields: &["code", "pages"],
    ..Listing::BACKLINKS
};
