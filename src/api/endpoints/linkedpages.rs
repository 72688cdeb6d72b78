//! `/linkedpages`: the pages of a scope that backlinks lead to.

use super::column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("linkedpages", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Pages that backlinks lead to",
    description: "Lists the pages of the scope that backlinks lead to. `frequency` counts the backlinks of a page, \
                  and `refdoms` their registrable domains. The two schemes of a page are two rows.",
};

pub static LISTING: Listing = Listing {
    name: "linkedpages",
    group_by: Some("linktarget"),
    columns: &[
        column("linkedpage", ColumnExpr::Field("linktarget")),
        column("percentage", ColumnExpr::Percentage),
        column("refdoms", ColumnExpr::Distinct("domain")),
        column("frequency", ColumnExpr::Count),
    ],
    default_order: &["-refdoms", "-frequency"],
    ..Listing::DEFAULT
};
