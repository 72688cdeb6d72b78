//! `/outgoinghosts`: the hosts that the external links on a scope's pages lead to.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinghosts", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "outgoinghosts",
    rows: RowKind::Outgoing,
    group_by: Some("host"),
    columns: &[plain("host"), column("frequency", ColumnExpr::Count)],
    order_fields: &["frequency", "host"],
    default_order: &["-frequency"],
    where_fields: &["frequency", "host"],
    ..Listing::BACKLINKS
};
