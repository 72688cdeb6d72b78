//! `/newbacklinks`: the backlinks of a scope that were first seen in a range of days, both ends included.
//!
//! A link is new only once. Unlike in `newandlost-histogram`, a link that was lost and came back is not new again. The
//! list has as many rows as the sum of `urls` in `backlinks-histogram`. It includes links that were lost since, with
//! `active` saying so; `active=true` or `active=false` selects one kind. The other columns are those of `backlinks`, with
//! `details=true` too.

use super::backlinks;
use super::lostbacklinks::{RANGE_PARAMETERS, ROW_PARAMETERS};
use crate::api::request::parameter::{ACTIVE, DETAILS, Parameter};
use crate::api::{
    ApiError, Docs, Endpoint, Feed, Handler, ListRequest, OptionalColumns, RequestContext, RowSource, Topic,
    Verb,
};
use crate::query::{LinkStates, ListColumn, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "newbacklinks",
    DOCS,
    &[Verb::Get],
    Handler::CustomList { listing: &LISTING, build_request },
)
.with_parameters(join!(Parameter, join!(Parameter, RANGE_PARAMETERS, &[ACTIVE, DETAILS]), ROW_PARAMETERS))
.with_optional_columns(&[OptionalColumns { listing: &DETAILED, when: "with details=true" }])
.with_feed(Feed { day: "insDate", title: "New backlinks of" });

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Backlinks first seen in a range of days",
    description: "Lists the links into the scope that were first seen in `from`..`to`, both ends included. A link is \
                  new only once: one that was lost and came back is not new again. Links that were lost since are \
                  listed too, unless `active=true` leaves them out.",
};

pub static LISTING: Listing = BASE;

const BASE: Listing =
    Listing { name: "newbacklinks", default_order: &["-insDate"], ..backlinks::LISTING_OF_LINKS };

/// As [`LISTING`], with what the last visits found.
static DETAILED: Listing = Listing {
    name: "newbacklinks-detailed",
    columns: join!(ListColumn, backlinks::COLUMNS, backlinks::VISIT_COLUMNS),
    ..BASE
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let days = context.day_range()?;
    let listing = if context.params.details()? { &DETAILED } else { &LISTING };
    let link_states = context.params.link_states()?.unwrap_or(LinkStates::Both);
    let source = RowSource::Index(context.selection()?, link_states);
    Ok(ListRequest { listing, source, day_range: Some(("insDate", days)) })
}
