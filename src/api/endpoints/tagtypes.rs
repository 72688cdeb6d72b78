//! `/tagtypes`: the elements and redirects that a scope's backlinks are made by.

use super::{column, plain};
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tagtypes", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "tagtypes",
    group_by: Some("tag"),
    columns: &[
        plain("tag"),
        column("frequency", ColumnExpr::Count),
        column("refdoms", ColumnExpr::Distinct("domain")),
    ],
    order_fields: &["tag", "frequency", "refdoms"],
    default_order: &["-tag"],
    where_fields: &["tag"],
    ..Listing::BACKLINKS
};
