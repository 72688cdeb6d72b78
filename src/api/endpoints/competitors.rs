//! `/competitors`: the registrable domains that share referring domains with a scope.
//!
//! A referring domain links from outside. Links from the scope's own registrable domain do not count, and neither do a
//! competitor's links to itself, independently of `internal`. `common` counts the domains that refer to both, and
//! `refdoms` all that refer to the competitor. `jaccard` is `common` as a share of the domains that refer to either,
//! with four decimals; 1 means all of them. The scope's own domain is no competitor. A domain that refers to the scope
//! can be one.
//!
//! A scope with many referring domains has very many competitors. If rows are ordered or filtered by `refdoms` or
//! `jaccard`, the `refdoms` of each are counted one by one, so a condition on `common` saves time.

use super::{column, field_column};
use crate::api::request::parameter::{
    FACETS, FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL, WHERE,
};
use crate::api::{
    ApiError, ComputedRows, Docs, Endpoint, Handler, ListRequest, RequestContext, RowSource, Topic, Verb,
};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "competitors",
    DOCS,
    &[Verb::Get],
    Handler::CustomCompleteList { listing: &LISTING, build_request },
)
.with_parameters(&[URL, SCOPE, INTERNAL, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "Domains that share referring domains with a scope",
    description: "Lists the registrable domains that have referring domains in common with the scope. `common` \
                  counts the domains that refer to both, and `refdoms` all that refer to the competitor. `jaccard` \
                  is `common` as a share of the domains that refer to either. Links within one registrable domain \
                  never count.",
};

pub static LISTING: Listing = Listing {
    name: "competitors",
    rows: RowKind::Competitors,
    columns: &[
        field_column("domain"),
        field_column("common"),
        column("refdoms", ColumnExpr::ForeignRefDomains("domain")),
        column(
            "jaccard",
            ColumnExpr::JaccardIndex { common: "common", scope_refdoms: "scope_refdoms", domain: "domain" },
        ),
        column("sr", ColumnExpr::DomainRank("domain")),
    ],
    default_order: &["-common"],
    ..Listing::DEFAULT
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let source = RowSource::Computed(ComputedRows::Competitors(context.selection()?));
    Ok(ListRequest { listing: &LISTING, source, day_range: None })
}
