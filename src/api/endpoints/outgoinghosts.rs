//! `/outgoinghosts`: the hosts that the external links on a scope's pages lead to.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinghosts", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "outgoinghosts",
    rows: Rows::Outgoing,
    group_by: Some("host"),
    columns: &[plain("host"), column("frequency", Compute::Count)],
    order_fields: &["frequency", "host"],
    default_order: &["-frequency"],
    where_fields: &["frequency", "host"],
    ..Listing::BACKLINKS
};
