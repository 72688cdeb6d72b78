//! `/referringdomains`: the registrable domains that a scope's backlinks come from.
//!
//! `active=false` lists the domains of lost links, with figures of these links alone, and `active=all` those of both. A
//! domain that lost some links and kept others is in both lists; `lostdomains` has the domains that have none left.
//! `firstSeen` is the day on which the first of these links was first seen. `lastSeen` is the last day on which one of
//! them counted as active: the last conclusive response of its page, or the day of its loss. `followed` counts the
//! links that are not nofollow.
//!
//! With `details=true`, `refdoms` is the number of other domains that link to the domain. It takes a lookup for each
//! domain.

use super::{column, field_column};
use crate::api::request::parameter::{
    ACTIVE, DETAILS, FACETS, FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL, WHERE,
};
use crate::api::{
    ApiError, Docs, Endpoint, Handler, ListRequest, OptionalColumns, RequestContext, Topic, Verb,
};
use crate::query::{ColumnExpr, ListColumn, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "referringdomains",
    DOCS,
    &[Verb::Get],
    Handler::CustomList { listing: &LISTING, build_request },
)
.with_parameters(&[
    URL, SCOPE, INTERNAL, ACTIVE, DETAILS, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT,
])
.with_optional_columns(&[OptionalColumns { listing: &DETAILED, when: "with details=true" }]);

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "List of referring domains",
    description: "Lists the registrable domains of the pages that the backlinks are on. `links` counts the backlinks \
                  from the domain, and `followed` those that are not nofollow. `ip` is the address with most of them, \
                  `ccode` its country, and `ip_count_additional` the number of other addresses. `sr` is the rank of \
                  the domain. `active=false` lists the domains of lost links instead, and `active=all` both. \
                  `details=true` adds `refdoms`, the number of other domains that link to the domain.",
};

pub static LISTING: Listing = BASE;

/// `ip` is the address with most links, of equals the lowest one; `ccode` is the country of that address.
const BASE: Listing = Listing {
    name: "referringdomains",
    group_by: Some("domain"),
    columns: &[
        column("dsCount", ColumnExpr::RowNumber),
        column("ccode", ColumnExpr::ModeGiven { field: "ccode", given: "ip" }),
        field_column("domain"),
        column("ip", ColumnExpr::Mode("ip")),
        column("links", ColumnExpr::Count),
        column("ip_count_additional", ColumnExpr::DistinctMinusOne("ip")),
        column("sr", ColumnExpr::DomainRank("domain")),
        column("firstSeen", ColumnExpr::Lowest("insDate")),
        column("lastSeen", ColumnExpr::LastActiveDay),
        column("followed", ColumnExpr::CountUnset("nofollow")),
    ],
    default_order: &["-links"],
    shows_lost: true,
    ..Listing::DEFAULT
};

/// As [`LISTING`], with the referring domains of each domain.
static DETAILED: Listing = Listing {
    name: "referringdomains-detailed",
    columns: join!(ListColumn, BASE.columns, &[column("refdoms", ColumnExpr::ForeignRefDomains("domain"))],),
    ..BASE
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let listing = if context.params.details()? { &DETAILED } else { &LISTING };
    ListRequest::from_parameters(context, listing)
}
