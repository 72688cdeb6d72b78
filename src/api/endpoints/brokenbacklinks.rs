//! `/brokenbacklinks`: the backlinks of a scope that lead to a page which is not there.
//!
//! A link is broken when the last visit to its target was answered with 400 or above, or failed: then `code` is 0 and
//! `failure` says how. A target that was never visited, robots.txt having forbidden it perhaps, is not broken, nor is
//! one that redirects, wherever to. Lost links are left out: nobody follows them any more. Rows are those of
//! `backlinks` otherwise.

use super::{backlinks, column, join};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing, StatePart};

pub static ENDPOINT: Endpoint = Endpoint::new("brokenbacklinks", &[Verb::Get], Answer::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "brokenbacklinks",
    only: Some(target(StatePart::Broken)),
    columns: &join::<_, 28>(
        backlinks::COLUMNS,
        &[column("code", target(StatePart::Code)), column("failure", target(StatePart::Failure))],
    ),
    order_fields: &join::<_, 6>(backlinks::ORDER_FIELDS, &["code"]),
    where_fields: &join::<_, 22>(backlinks::WHERE_FIELDS, &["code", "failure"]),
    shows_lost: false,
    ..backlinks::LISTING_OF_LINKS
};

const fn target(part: StatePart) -> Compute {
    Compute::PageState { page: "linktarget", part }
}
