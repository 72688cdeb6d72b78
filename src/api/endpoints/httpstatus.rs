//! `/httpstatus`: the HTTP status codes that a scope's pages answered with.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("httpstatus", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Fetched pages by HTTP status",
    description: "Counts the fetched pages of the scope by the HTTP status of their last response. `percentage` is \
                  the share of all fetched pages.",
};

pub static LISTING: Listing = Listing {
    name: "httpstatus",
    rows: RowKind::Pages,
    group_by: Some("code"),
    columns: &[
        field_column("code"),
        column("pages", ColumnExpr::Count),
        column("percentage", ColumnExpr::Percentage),
    ],
    default_order: &["-pages"],
    ..Listing::DEFAULT
};
