//! `/newdomains`: the registrable domains that began to link to a scope in a range of days, both ends included.
//!
//! A domain is new on the day of its first active link after none, as in `newandlost-histogram`. A domain that was lost
//! and came back is new again, so it can have several rows, one for each such day. Each day has as many rows as the
//! `domains` of that histogram say. `links` is the number of links that came on that day, and `ccode` the country that
//! most of their pages have now. `sr` is the present rank of the domain.
//!
//! The rows come from the links of the scope, lost ones included, which are read for each request.

use super::{column, field_column};
use crate::api::request::parameter::{
    FACETS, FIELDS, FORMAT, FROM, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, TO, URL, WHERE,
};
use crate::api::{
    ApiError, ComputedRows, Docs, Endpoint, Handler, ListRequest, RequestContext, RowSource, Topic, Verb,
};
use crate::query::{ColumnExpr, DomainChangeKind, Listing, RowKind};

pub static ENDPOINT: Endpoint = endpoint_of_changes(&LISTING, DOCS, build_request);

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Domains that began to link in a range of days",
    description: "Lists the registrable domains that began to link to the scope in `from`..`to`: each day \
                  of a first active link after none. A domain that was lost and came back has several \
                  rows. `links` counts the links that came on that day, and `ccode` is the country of most \
                  of them.",
};

pub static LISTING: Listing = Listing { name: "newdomains", ..LISTING_OF_CHANGES };

/// The common part of the lists of domains that began or ceased to link.
pub(super) const LISTING_OF_CHANGES: Listing = Listing {
    rows: RowKind::DomainChanges,
    columns: &[
        field_column("domain"),
        field_column("date"),
        field_column("links"),
        column("sr", ColumnExpr::DomainRank("domain")),
        field_column("ccode"),
    ],
    default_order: &["-date"],
    ..Listing::DEFAULT
};

/// The declaration of a list of domains that began or ceased to link.
pub(super) const fn endpoint_of_changes(
    listing: &'static Listing,
    docs: Docs,
    build_request: fn(&RequestContext<'_>) -> Result<ListRequest, ApiError>,
) -> Endpoint {
    Endpoint::new(listing.name, docs, &[Verb::Get], Handler::CustomCompleteList { listing, build_request })
        .with_parameters(&[
            URL, SCOPE, INTERNAL, FROM, TO, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT,
        ])
}

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    request_changes(context, &LISTING, DomainChangeKind::New)
}

/// Requests the domain changes of one kind in the range of days.
pub(super) fn request_changes(
    context: &RequestContext<'_>,
    listing: &'static Listing,
    kind: DomainChangeKind,
) -> Result<ListRequest, ApiError> {
    let days = context.day_range()?;
    let source = RowSource::Computed(ComputedRows::DomainChanges(context.selection()?, kind));
    Ok(ListRequest { listing, source, day_range: Some(("date", days)) })
}
