//! `/bestpages`: the pages of a scope that most domains link to.
//!
//! A page has a row if a backlink leads to it, visited or not, because such a list is read to find dead pages that
//! others still link to. The two schemes of a page are two pages, as in `linkedpages`. `refdoms` counts the registrable
//! domains of its backlinks, `links` the backlinks themselves. `code` is the HTTP status of the last response, 0 for a
//! page that never responded. A failed visit does not change it.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing, StatePart};

pub static ENDPOINT: Endpoint = Endpoint::new("bestpages", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Pages of a scope by referring domains",
    description: "Lists the pages of the scope that backlinks lead to, visited or not. `refdoms` counts the \
                  registrable domains of these backlinks, and `links` the backlinks. `code` is the HTTP status of \
                  the last response, or 0 if the page never responded. The two schemes of a page are two rows.",
};

pub static LISTING: Listing = Listing {
    name: "bestpages",
    group_by: Some("linktarget"),
    columns: &[
        column("page", ColumnExpr::Field("linktarget")),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("links", ColumnExpr::Count),
        column("sr", ColumnExpr::PageRank("linktarget")),
        column("code", ColumnExpr::PageState { page: "linktarget", part: StatePart::LastStatus }),
    ],
    default_order: &["-refdoms", "-links"],
    ..Listing::DEFAULT
};
