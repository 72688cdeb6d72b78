//! `/outgoingtoppages`: the pages of a scope that have external links.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint =
    Endpoint::new("outgoingtoppages", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Pages of a scope by external links",
    description: "Lists the pages of the scope that have at least one active external link. `extLinks` counts these \
                  links.",
};

/// Pages have no scheme here. Two pages that differ only in the scheme are one row.
pub static LISTING: Listing = Listing {
    name: "outgoingtoppages",
    rows: RowKind::Outgoing,
    group_by: Some("backlinkpage"),
    columns: &[column("webpage", ColumnExpr::Field("backlinkpage")), column("extLinks", ColumnExpr::Count)],
    default_order: &["-extLinks"],
    ..Listing::DEFAULT
};
