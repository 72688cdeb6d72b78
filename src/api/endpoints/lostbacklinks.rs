//! `/lostbacklinks`: the backlinks of a scope that were lost in a range of days, both ends included, and are not
//! back.
//!
//! `lostDate` is the day from which on the link is gone: the day of the visit that did not find it any more. A link
//! that was lost more than once stands under the last of these days. Rows are those of `backlinks` otherwise, as they
//! were when the link was last seen.

use super::{backlinks, join, plain};
use crate::api::parameter::{FIELDS, FORMAT, FROM, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, TO, URL, WHERE};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Source, Verb};
use crate::query::{Activity, Listing};

pub static ENDPOINT: Endpoint =
    Endpoint::new("lostbacklinks", &[Verb::Get], Answer::ListBy { listing: &LISTING, ask })
        .taking(&[URL, SCOPE, INTERNAL, FROM, TO, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

pub static LISTING: Listing = Listing {
    name: "lostbacklinks",
    columns: &join::<_, 27>(backlinks::COLUMNS, &[plain("lostDate")]),
    order_fields: &join::<_, 7>(backlinks::ORDER_FIELDS, &["insDate", "lostDate"]),
    default_order: &["-lostDate"],
    where_fields: &join::<_, 21>(backlinks::WHERE_FIELDS, &["lostDate"]),
    shows_lost: false,
    ..backlinks::LISTING_OF_LINKS
};

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    let days = call.params.days(|| call.today())?;
    let source = Source::Scope(Activity::Inactive);
    Ok(Asked { source, within: Some(("lostDate", days)), ..Asked::by(call, &LISTING)? })
}
