//! `/outgoinglinks`: the external links on a scope's pages, one row each.

use super::field_column;
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};
use crate::query::{Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinglinks", DOCS, &[Verb::Get], Handler::List(&LISTING));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "List of external links of a scope",
    description: "Lists the active external links on the pages of the scope, one row for each link. Pages and \
                  targets are shown without their scheme.",
};

pub static LISTING: Listing = Listing {
    name: "outgoinglinks",
    rows: RowKind::Outgoing,
    columns: &[
        field_column("backlinkpage"),
        field_column("title"),
        field_column("linktarget"),
        field_column("linktext"),
        field_column("tag"),
        field_column("nofollow"),
        field_column("pos"),
        field_column("sr"),
        field_column("cdate"),
    ],
    default_order: &["-cdate"],
    ..Listing::DEFAULT
};
