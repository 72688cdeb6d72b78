//! `/outgoinglinktexts`: the anchor texts of the external links on a scope's pages.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinglinktexts", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "outgoinglinktexts",
    rows: RowKind::Outgoing,
    group_by: Some("linktext"),
    columns: &[plain("linktext"), column("frequency", ColumnExpr::Count)],
    order_fields: &["frequency", "linktext"],
    default_order: &["-frequency"],
    where_fields: &["frequency", "linktext"],
    ..Listing::BACKLINKS
};
