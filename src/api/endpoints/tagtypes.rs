//! `/tagtypes`: the elements and redirects that a scope's backlinks are made by.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("tagtypes", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "tagtypes",
    group_by: Some("tag"),
    columns: &[
        plain("tag"),
        column("frequency", Compute::Count),
        column("refdoms", Compute::Distinct("domain")),
    ],
    order_fields: &["tag", "frequency", "refdoms"],
    default_order: &["-tag"],
    where_fields: &["tag"],
    ..Listing::BACKLINKS
};
