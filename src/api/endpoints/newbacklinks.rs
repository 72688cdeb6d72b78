//! `/newbacklinks`: the backlinks of a scope that were first seen in a range of days, both ends included.
//!
//! A link is new once. What was lost and came back is not new again, which is where this list differs from
//! `newandlost-histogram`; it has as many rows as the `urls` of `backlinks-histogram` add up to. Links that are lost
//! again have rows, too, and `active` says so; `active=true` or `active=false` picks one kind. Rows are those of
//! `backlinks`.

use super::{backlinks, join};
use crate::api::parameter::{
    ACTIVE, FIELDS, FORMAT, FROM, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, TO, URL, WHERE,
};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Source, Verb};
use crate::query::{Activity, Listing};

pub static ENDPOINT: Endpoint =
    Endpoint::new("newbacklinks", &[Verb::Get], Answer::ListBy { listing: &LISTING, ask })
        .taking(&[URL, SCOPE, INTERNAL, FROM, TO, ACTIVE, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

pub static LISTING: Listing = Listing {
    name: "newbacklinks",
    order_fields: &join::<_, 6>(backlinks::ORDER_FIELDS, &["insDate"]),
    default_order: &["-insDate"],
    where_fields: &join::<_, 21>(backlinks::WHERE_FIELDS, &["active"]),
    ..backlinks::LISTING_OF_LINKS
};

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    let days = call.params.days(|| call.today())?;
    let source = Source::Scope(call.params.activity()?.unwrap_or(Activity::Both));
    Ok(Asked { source, within: Some(("insDate", days)), ..Asked::by(call, &LISTING)? })
}
