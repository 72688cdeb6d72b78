//! `/backlinks`: the backlinks of a scope, one row each; with `active=false` the lost ones, with `active=all` both.

use super::{column, plain};
use crate::api::{Answer, Endpoint, Verb};
use crate::query::{Compute, Listing};

pub static ENDPOINT: Endpoint = Endpoint::new("backlinks", &[Verb::Get], Answer::List(&LISTING));

/// `insDate` and `cdate` are one date; so are `updDate`, `udate` and `update`, the contract's three names for it.
pub static LISTING: Listing = Listing {
    name: "backlinks",
    columns: &[
        plain("nofollow"),
        plain("country"),
        column("nr", Compute::RowNumber),
        plain("extL"),
        plain("insDate"),
        plain("city"),
        plain("ip"),
        plain("intL"),
        plain("linktarget"),
        plain("title"),
        plain("updDate"),
        plain("ccode"),
        plain("blpcount"),
        column("cdate", Compute::Field("insDate")),
        plain("backlinkpage"),
        plain("pos"),
        plain("sumL"),
        plain("linktext"),
        plain("tag"),
        column("udate", Compute::Field("updDate")),
        plain("sr"),
        column("dsCount", Compute::RowNumber),
        column("update", Compute::Field("updDate")),
        plain("active"),
        plain("ugc"),
        plain("sponsored"),
    ],
    order_fields: &["extL", "intL", "sr", "pos", "nofollow"],
    default_order: &["-sr"],
    where_fields: &[
        "nofollow",
        "extL",
        "city",
        "country",
        "ccode",
        "ip",
        "intL",
        "linktarget",
        "title",
        "blpcount",
        "backlinkpage",
        "pos",
        "sumL",
        "linktext",
        "tag",
        "insDate",
        "updDate",
        "cdate",
        "udate",
        "sr",
    ],
    shows_lost: true,
    ..Listing::BACKLINKS
};
