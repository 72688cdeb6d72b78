//! `/lostdomains`: the registrable domains whose last link to a scope went in a range of days, both ends included.
//!
//! A domain is lost on the day on which its last active link goes, as in `newandlost-histogram`. It has a row for each
//! such day, also if it came back later. Each day has as many rows as the `domains` of that histogram say. `links` is
//! the number of links that went on that day. The other columns are those of `newdomains`.

use super::newdomains::{LISTING_OF_CHANGES, endpoint_of_changes, request_changes};
use crate::api::{ApiError, Docs, Endpoint, ListRequest, RequestContext, Topic};
use crate::query::{DomainChangeKind, Listing};

pub static ENDPOINT: Endpoint = endpoint_of_changes(&LISTING, DOCS, build_request);

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Domains that ceased to link in a range of days",
    description: "Lists the registrable domains whose last active link to the scope went in `from`..`to`. \
                  A domain that was lost more than once has several rows. `links` counts the links that \
                  went on that day, and `ccode` is the country of most of them.",
};

pub static LISTING: Listing = Listing { name: "lostdomains", ..LISTING_OF_CHANGES };

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    request_changes(context, &LISTING, DomainChangeKind::Lost)
}
