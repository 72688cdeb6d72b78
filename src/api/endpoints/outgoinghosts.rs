//! `/outgoinghosts`: the hosts that the external links on a scope's pages lead to.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinghosts", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Hosts that a scope links to",
    description: "Lists the hosts that the active external links on the pages of the scope lead to. `frequency` \
                  counts these links.",
};

pub static LISTING: Listing = Listing {
    name: "outgoinghosts",
    rows: RowKind::Outgoing,
    group_by: Some("host"),
    columns: &[field_column("host"), column("frequency", ColumnExpr::Count)],
    default_order: &["-frequency"],
    ..Listing::DEFAULT
};
