//! `/competitors`: the registrable domains that have referring domains in common with a scope.
//!
//! A referring domain is one that links from outside: links from the scope's own registrable domain do not count, nor
//! do a competitor's links to itself, whatever `internal` says. `common` are the domains that refer to both, `refdoms`
//! all that refer to the competitor, and `jaccard` is `common` as a share of the domains that refer to either, with
//! four decimals: 1 when all do. The scope's own domain is no competitor. A domain that refers to the scope can be one.
//!
//! A scope with many referring domains has very many competitors; their `refdoms` are counted one by one where rows are
//! ordered or filtered by `refdoms` or `jaccard`, so ask for some `common` then.

use super::{column, plain};
use crate::api::parameter::{FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL, WHERE};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Source, Verb};
use crate::query::{Compute, Listing, Rows};

pub static ENDPOINT: Endpoint =
    Endpoint::new("competitors", &[Verb::Get], Answer::SummaryBy { listing: &LISTING, ask })
        .taking(&[URL, SCOPE, INTERNAL, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

pub static LISTING: Listing = Listing {
    name: "competitors",
    rows: Rows::Competitors,
    columns: &[
        plain("domain"),
        plain("common"),
        column("refdoms", Compute::ForeignRefDomains("domain")),
        column("jaccard", Compute::Overlap { shared: "common", own: "own", domain: "domain" }),
        column("sr", Compute::DomainRank("domain")),
    ],
    order_fields: &["domain", "common", "refdoms", "jaccard", "sr"],
    default_order: &["-common"],
    where_fields: &["domain", "common", "refdoms", "jaccard", "sr"],
    ..Listing::BACKLINKS
};

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    Ok(Asked { source: Source::Competitors, ..Asked::by(call, &LISTING)? })
}
