//! `/lostbacklinks`: the backlinks of a scope that were lost in a range of days, both ends included, and have not come
//! back.
//!
//! `lostDate` is the day of the visit that did not find the link any more. A link that was lost more than once has the
//! last of these days. `reason` says why the link is not there: `removed` (the page is there without it), `gone` (404 or
//! 410), `redirected` or `not-html`. It describes the page at `updDate`, the day of its last answer that settled its
//! links: on the day of the loss or later. It is empty if later answers hide that answer. The other columns are those of
//! `backlinks`, as they were when the link was last seen.

use super::{backlinks, column, field_column};
use crate::api::request::parameter::{
    FACETS, FIELDS, FORMAT_OR_FEED, FROM, INTERNAL, LIMIT, OFFSET, ORDER, Parameter, SCOPE, TO, URL, WHERE,
};
use crate::api::{
    ApiError, Docs, Endpoint, Feed, Handler, ListRequest, RequestContext, RowSource, Topic, Verb,
};
use crate::query::{ColumnExpr, LinkStates, ListColumn, Listing, VisitPart};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "lostbacklinks",
    DOCS,
    &[Verb::Get],
    Handler::CustomList { listing: &LISTING, build_request },
)
.with_parameters(join!(Parameter, RANGE_PARAMETERS, ROW_PARAMETERS))
.with_feed(Feed { day: "lostDate", title: "Lost backlinks of" });

/// The parameters of a list of links in a range of days: the scope and the days.
pub(super) const RANGE_PARAMETERS: &[Parameter] = &[URL, SCOPE, INTERNAL, FROM, TO];
/// Those of its rows, which are available as a feed.
pub(super) const ROW_PARAMETERS: &[Parameter] =
    &[WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT_OR_FEED];

const DOCS: Docs = Docs {
    topic: Topic::History,
    summary: "Backlinks lost in a range of days",
    description: "Lists the links into the scope that were lost in `from`..`to`, both ends included, and have not \
                  come back. `lostDate` is the day of the visit that did not find the link. Of several such days it \
                  is the last one.",
};

pub static LISTING: Listing = Listing {
    name: "lostbacklinks",
    columns: join!(
        ListColumn,
        backlinks::COLUMNS,
        &[field_column("lostDate"), column("reason", ColumnExpr::LinkVisit(VisitPart::Reason))],
    ),
    default_order: &["-lostDate"],
    shows_lost: false,
    ..backlinks::LISTING_OF_LINKS
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let days = context.day_range()?;
    let source = RowSource::Index(context.selection()?, LinkStates::Lost);
    Ok(ListRequest { listing: &LISTING, source, day_range: Some(("lostDate", days)) })
}
