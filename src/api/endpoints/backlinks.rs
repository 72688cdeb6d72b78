//! `/backlinks`: the backlinks of a scope, one row each; with `active=false` the lost ones, with `active=all` both.
//!
//! With `group=domain`, there is one row for each referring domain, with its strongest link: the one on the page with
//! the highest rank. Of equals, it is the first in the order of target, page and link. These rows have a `domain`, and
//! in `domainLinks` the number of its links to the scope. `where` selects links before they are grouped, so that
//! `nofollow eq false` gives each domain's strongest followed link. `domainLinks` counts all links that `active`
//! selects, independently of `where`. `count` is the number of domains with a row.
//!
//! Without `group`, rows can be filtered and ordered by `domain` too, but do not show it.
//!
//! With `details=true`, rows say what the last visits to the page of the link found, as of the present state of that
//! page. `reason` says why a lost link is not there: `removed` (the page is there without it), `gone` (404 or 410),
//! `redirected` or `not-html`. It is empty for an active link, and if later visits hide the last answer that settled the
//! links of the page. `updDate` is the day of that answer. `confirmed` is the last day on which a visit is known to have
//! found the link. `doubt` says why later visits to the page of an active link did not settle whether it is there: a
//! failure such as `dns` or `timeout`, a status such as `status-503`, `challenge`, or `cut` for a body without its end.

use super::{column, field_column};
use crate::api::request::parameter::{
    ACTIVE, DETAILS, FACETS, FIELDS, FORMAT, GROUP, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL, WHERE,
};
use crate::api::{
    ApiError, Docs, Endpoint, Handler, ListRequest, OptionalColumns, RequestContext, Topic, Verb,
};
use crate::query::{ColumnExpr, ListColumn, Listing, VisitPart};

pub static ENDPOINT: Endpoint =
    Endpoint::new("backlinks", DOCS, &[Verb::Get], Handler::CustomList { listing: &LISTING, build_request })
        .with_parameters(&[
            URL, SCOPE, INTERNAL, ACTIVE, GROUP, DETAILS, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT,
        ])
        .with_optional_columns(&[
            OptionalColumns { listing: &STRONGEST_OF_DOMAINS, when: "with group=domain" },
            OptionalColumns { listing: &DETAILED, when: "with details=true" },
            OptionalColumns { listing: &DETAILED_STRONGEST, when: "with group=domain and details=true" },
        ]);

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "List of backlinks",
    description: "Lists the active external links into the scope, one row for each link: page, target, anchor text, \
                  tag, position, rank, dates, and address and place of the server. `active=false` lists lost links \
                  instead, and `active=all` lists both. With `group=domain`, each referring domain has one row with \
                  its strongest link, and `domainLinks` counts all its links. `where` selects links before they are \
                  grouped.",
};

pub static LISTING: Listing = Listing { name: "backlinks", ..LISTING_OF_LINKS };

/// The strongest link of each referring domain.
pub static STRONGEST_OF_DOMAINS: Listing = STRONGEST;

const STRONGEST: Listing = Listing {
    name: "backlinks-by-domain",
    first_per: Some("domain"),
    columns: join!(
        ListColumn,
        COLUMNS,
        &[field_column("domain"), column("domainLinks", ColumnExpr::CountSameValue("domain"))],
    ),
    hidden_columns: &[],
    ..LISTING_OF_LINKS
};

/// As [`LISTING`], with what the last visits found.
static DETAILED: Listing = Listing {
    name: "backlinks-detailed",
    columns: join!(ListColumn, COLUMNS, VISIT_COLUMNS),
    ..LISTING_OF_LINKS
};

/// As [`STRONGEST_OF_DOMAINS`], with what the last visits found.
static DETAILED_STRONGEST: Listing = Listing {
    name: "backlinks-by-domain-detailed",
    columns: join!(ListColumn, STRONGEST.columns, VISIT_COLUMNS),
    ..STRONGEST
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let is_grouped = context.params.one_of("group", &[("domain", ())])?.is_some();
    let listing = match (is_grouped, context.params.details()?) {
        (false, false) => &LISTING,
        (false, true) => &DETAILED,
        (true, false) => &STRONGEST_OF_DOMAINS,
        (true, true) => &DETAILED_STRONGEST,
    };
    ListRequest::from_parameters(context, listing)
}

/// The common part of all lists of links.
pub(super) const LISTING_OF_LINKS: Listing = Listing {
    columns: COLUMNS,
    hidden_columns: &[field_column("domain")],
    default_order: &["-sr"],
    shows_lost: true,
    ..Listing::DEFAULT
};

/// `insDate` and `cdate` are one date; so are `updDate`, `udate` and `update`, the contract's three names for it.
pub(super) const COLUMNS: &[ListColumn] = &[
    field_column("nofollow"),
    field_column("country"),
    column("nr", ColumnExpr::RowNumber),
    field_column("extL"),
    field_column("insDate"),
    field_column("city"),
    field_column("ip"),
    field_column("intL"),
    field_column("linktarget"),
    field_column("title"),
    field_column("updDate"),
    field_column("ccode"),
    field_column("blpcount"),
    column("cdate", ColumnExpr::Field("insDate")),
    field_column("backlinkpage"),
    field_column("pos"),
    field_column("sumL"),
    field_column("linktext"),
    field_column("tag"),
    column("udate", ColumnExpr::Field("updDate")),
    field_column("sr"),
    column("dsCount", ColumnExpr::RowNumber),
    column("update", ColumnExpr::Field("updDate")),
    field_column("active"),
    field_column("ugc"),
    field_column("sponsored"),
];

/// What the last visits to the page of a link found.
pub(super) const VISIT_COLUMNS: &[ListColumn] = &[
    column("reason", ColumnExpr::LinkVisit(VisitPart::Reason)),
    column("confirmed", ColumnExpr::LinkVisit(VisitPart::Confirmed)),
    column("doubt", ColumnExpr::LinkVisit(VisitPart::Doubt)),
];
