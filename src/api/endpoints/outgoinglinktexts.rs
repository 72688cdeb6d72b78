//! `/outgoinglinktexts`: the anchor texts of the external links on a scope's pages.

use super::{column, field_column};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{ColumnExpr, Listing, RowKind};

pub static ENDPOINT: Endpoint =
    Endpoint::new("outgoinglinktexts", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Anchor texts of external links of a scope",
    description: "Lists the anchor texts of the active external links on the pages of the scope. `frequency` counts \
                  the links with the text.",
};

pub static LISTING: Listing = Listing {
    name: "outgoinglinktexts",
    rows: RowKind::Outgoing,
    group_by: Some("linktext"),
    columns: &[field_column("linktext"), column("frequency", ColumnExpr::Count)],
    default_order: &["-frequency"],
    ..Listing::DEFAULT
};
