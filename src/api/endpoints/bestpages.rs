//! `/bestpages`: the pages of a scope that most domains link to.
//!
//! A page has a row when a backlink leads to it, whether it was visited or not: dead pages that others still link
//! to are what such a list is read for. The two schemes of a page are two pages, as in `linkedpages`. `refdoms` are
//! the registrable domains of its backlinks, `links` the backlinks themselves. `code` is the HTTP status the page
//! last answered with, 0 for a page that never did; a failed visit since does not change it.

use super::column;
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, StatePart};

pub static ENDPOINT: Endpoint = Endpoint::new("bestpages", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "bestpages",
    group_by: Some("linktarget"),
    columns: &[
        column("page", Compute::Field("linktarget")),
        column("refdoms", Compute::Distinct("domain")),
        column("links", Compute::Count),
        column("sr", Compute::PageRank("linktarget")),
        column("code", Compute::PageState { page: "linktarget", part: StatePart::LastStatus }),
    ],
    order_fields: &["page", "refdoms", "links", "sr", "code"],
    default_order: &["-refdoms", "-links"],
    where_fields: &["page", "refdoms", "links", "sr", "code"],
    ..Listing::BACKLINKS
};
