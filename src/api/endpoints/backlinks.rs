//! `/backlinks`: the backlinks of a scope, one row each; with `active=false` the lost ones, with `active=all` both.
//!
//! With `group=domain`, one row for each referring domain: its strongest link, that is the one on the page with the
//! highest rank; of equals, the first in the order of target, page and link. Such rows say the `domain` and, in
//! `domainLinks`, how many links it has to the scope. `where` picks links before they are grouped, so that
//! `nofollow eq false` gives each domain's strongest followed link; `domainLinks` counts all links of the kind that
//! `active` asks for, whatever `where` says. `count` is the number of domains with a row.

use super::{column, join, plain};
use crate::api::parameter::{
    ACTIVE, FIELDS, FORMAT, GROUP, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL, WHERE,
};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Verb, Wider};
use crate::query::{Compute, ListColumn, Listing};

pub static ENDPOINT: Endpoint =
    Endpoint::new("backlinks", &[Verb::Get], Answer::ListBy { listing: &LISTING, ask })
        .taking(&[URL, SCOPE, INTERNAL, ACTIVE, GROUP, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT])
        .widened(Wider { listing: &STRONGEST_OF_DOMAINS, when: "with group=domain" });

pub static LISTING: Listing = Listing { name: "backlinks", ..LISTING_OF_LINKS };

/// The strongest link of each referring domain.
pub static STRONGEST_OF_DOMAINS: Listing = Listing {
    name: "backlinks-by-domain",
    first_of: Some("domain"),
    columns: &join::<_, 28>(COLUMNS, &[plain("domain"), column("domainLinks", Compute::Alike("domain"))]),
    order_fields: &join::<_, 6>(ORDER_FIELDS, &["domainLinks"]),
    where_fields: &join::<_, 22>(WHERE_FIELDS, &["domain", "domainLinks"]),
    ..LISTING_OF_LINKS
};

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    let grouped = call.params.one_of("group", &[("domain", &STRONGEST_OF_DOMAINS)])?;
    Asked::by(call, grouped.unwrap_or(&LISTING))
}

/// What other lists of links are like.
pub(super) const LISTING_OF_LINKS: Listing = Listing {
    columns: COLUMNS,
    order_fields: ORDER_FIELDS,
    default_order: &["-sr"],
    where_fields: WHERE_FIELDS,
    shows_lost: true,
    ..Listing::BACKLINKS
};

/// `insDate` and `cdate` are one date; so are `updDate`, `udate` and `update`, the contract's three names for it.
pub(super) const COLUMNS: &[ListColumn] = &[
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
];

pub(super) const ORDER_FIELDS: &[&str] = &["extL", "intL", "sr", "pos", "nofollow"];

pub(super) const WHERE_FIELDS: &[&str] = &[
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
];
