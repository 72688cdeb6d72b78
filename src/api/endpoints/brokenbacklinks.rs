//! `/brokenbacklinks`: the backlinks of a scope that lead to a missing page.
//!
//! A link is broken if the last visit to its target returned a status of 400 or above, or failed; then `code` is 0 and
//! `failure` names the reason. A target that was never visited, for example because of robots.txt, is not broken.
//! Neither is one that redirects, to whatever page. Lost links are left out, because no visitor can follow them. The
//! other columns are those of `backlinks`.

use super::{backlinks, column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, ListColumn, Listing, StatePart};

pub static ENDPOINT: Endpoint = Endpoint::new("brokenbacklinks", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Backlinks to pages that fail",
    description: "Lists the active backlinks whose target answered with a status of 400 or above at its last visit, \
                  or failed. After a failure `code` is 0, and `failure` names the reason. A target that was never \
                  visited is not broken, and neither is one that redirects.",
};

pub static LISTING: Listing = Listing {
    name: "brokenbacklinks",
    only: Some(target(StatePart::Broken)),
    columns: join!(
        ListColumn,
        backlinks::COLUMNS,
        &[column("code", target(StatePart::Code)), column("failure", target(StatePart::Failure))],
    ),
    shows_lost: false,
    ..backlinks::LISTING_OF_LINKS
};

const fn target(part: StatePart) -> ColumnExpr {
    ColumnExpr::PageState { page: "linktarget", part }
}
