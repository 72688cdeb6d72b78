//! `/outgoinglinks`: the external links on a scope's pages, one row each.

use super::plain;
use crate::api::{Endpoint, Handler, Verb};
use crate::query::{Listing, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new("outgoinglinks", &[Verb::Get], Handler::List(&LISTING));

pub static LISTING: Listing = Listing {
    name: "outgoinglinks",
    rows: RowKind::Outgoing,
    columns: &[
        plain("backlinkpage"),
        plain("title"),
        plain("linktarget"),
        plain("linktext"),
        plain("tag"),
        plain("nofollow"),
        plain("pos"),
        plain("sr"),
        plain("cdate"),
    ],
    order_fields: &["cdate", "sr"],
    default_order: &["-cdate"],
    where_fields: &[
        "title",
        "backlinkpage",
        "linktarget",
        "linktext",
        "nofollow",
        "pos",
        "sr",
        "tag",
        "cdate",
    ],
    ..Listing::BACKLINKS
};
