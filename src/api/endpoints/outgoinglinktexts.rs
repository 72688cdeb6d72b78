//! `/outgoinglinktexts`: the anchor texts of the external links on a scope's pages.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinglinktexts", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "outgoinglinktexts",
    rows: Rows::Outgoing,
    group_by: Some("linktext"),
    columns: &[plain("linktext"), column("frequency", Compute::Count)],
    order_fields: &["frequency", "linktext"],
    default_order: &["-frequency"],
    where_fields: &["frequency", "linktext"],
    ..Listing::BACKLINKS
};
