//! `/linkintersect`: the registrable domains that link to all of several targets, and to none of some others. With
//! `atLeast=k`, domains that link to k of the targets are enough.
//!
//! Each of `targets[]` and `exclude[]` is a URL, host or domain, as `url` is elsewhere; `scope` and `internal` apply to
//! each. A domain links to a target if it has a row in the target's `referringdomains`. The `links` of that row are
//! `links1` for the first target, `links2` for the second, and so on, and 0 without such a row; `links` is their sum. A target's own domain has a
//! row if it links to the other targets and, from one of its hosts to another, to itself. `internal=exclude` leaves it
//! out. `sr` is the rank of the domain.
//!
//! The counts of each target are columns of their own, not a list inside a row, so that rows can be ordered and
//! filtered by them.

use super::urls::selections;
use super::{column, field_column};
use crate::api::request::parameter::{
    AT_LEAST, EXCLUDE, FACETS, FIELDS, FORMAT, INTERNAL, LIMIT, MIN_TARGETS, OFFSET, ORDER, SCOPE, TARGETS,
    WHERE,
};
use crate::api::{
    ApiError, ComputedRows, Docs, Endpoint, Handler, ListRequest, OptionalColumns, RequestContext, RowSource,
    Topic, Verb,
};
use crate::query::{ColumnExpr, ErrorCode, LINKS_TO_TARGET, ListColumn, Listing, MAX_TARGETS, RowKind};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "linkintersect",
    DOCS,
    &[Verb::Get],
    Handler::CustomCompleteList { listing: &LISTINGS[MIN_TARGETS], build_request },
)
.with_parameters(&[
    TARGETS, AT_LEAST, EXCLUDE, SCOPE, INTERNAL, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT,
])
.with_optional_columns(&[OptionalColumns { listing: &LISTING, when: "with as many targets[]" }]);

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "Domains that link to all of several targets",
    description: "Lists the registrable domains that link to all of `targets[]`, or to `atLeast` of them, and to none of `exclude[]`. `links1` \
                  counts the links to the first target, `links2` those to the second, and so on. `links` is their \
                  sum.",
};

/// The number of columns before those of the targets.
const COMMON: usize = 3;

static COLUMNS: [ListColumn; COMMON + MAX_TARGETS] = columns();

/// The listing with columns for the maximum number of targets.
pub static LISTING: Listing = listing(MAX_TARGETS);

/// One listing for each number of targets.
static LISTINGS: [Listing; MAX_TARGETS + 1] = listings();

const fn listings() -> [Listing; MAX_TARGETS + 1] {
    let mut listings = [LISTING; MAX_TARGETS + 1];
    let mut targets = 0;
    while targets < MAX_TARGETS {
        listings[targets] = listing(targets);
        targets += 1;
    }
    listings
}

const fn listing(targets: usize) -> Listing {
    Listing {
        name: "linkintersect",
        rows: RowKind::Referrers,
        columns: COLUMNS.split_at(COMMON + targets).0,
        default_order: &["-links"],
        ..Listing::DEFAULT
    }
}

const fn columns() -> [ListColumn; COMMON + MAX_TARGETS] {
    let mut columns = [column("sr", ColumnExpr::DomainRank("domain")); COMMON + MAX_TARGETS];
    columns[0] = field_column("domain");
    columns[1] = field_column("links");
    let mut target = 0;
    while target < MAX_TARGETS {
        columns[COMMON + target] = field_column(LINKS_TO_TARGET[target]);
        target += 1;
    }
    columns
}

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let max = context.state.config.max_targets.min(MAX_TARGETS);
    let entries = context.params.list("targets")?;
    if entries.is_empty() {
        return Err(ApiError::missing(
            "targets",
            "name at least two, for example targets[]=example.com&targets[]=example.org",
        ));
    }
    if !(MIN_TARGETS..=max).contains(&entries.len()) {
        let message = format!("targets has {} entries; name from {MIN_TARGETS} to {max}", entries.len());
        let code = if entries.len() > max { ErrorCode::TooLarge } else { ErrorCode::Missing };
        return Err(ApiError::without_place("targets", code, message));
    }
    let excluded = context.params.list("exclude")?;
    if excluded.len() > max {
        let message = format!("exclude has {} entries; name at most {max}", excluded.len());
        return Err(ApiError::without_place("exclude", ErrorCode::TooLarge, message));
    }
    let at_least = context.params.number_within("atLeast", 1..=entries.len())?.unwrap_or(entries.len());
    let (targets, exclude) =
        (selections(context, "targets", &entries)?, selections(context, "exclude", &excluded)?);
    Ok(ListRequest {
        listing: &LISTINGS[targets.len()],
        source: RowSource::Computed(ComputedRows::Intersection { targets, at_least, exclude }),
        day_range: None,
    })
}
