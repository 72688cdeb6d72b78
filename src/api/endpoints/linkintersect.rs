//! `/linkintersect`: the registrable domains that link to all of several targets, and to none of some others.
//!
//! Each of `targets[]` and `exclude[]` is a URL, host or domain, as `url` is elsewhere; `scope` and `internal` apply to
//! each. A domain links to a target when it has a row in the target's `referringdomains`, and that row's `links` are
//! what is counted here: `links1` for the first target, `links2` for the second, and so on, `links` for all together. So
//! a target's own domain is a row where it links to the others and, from one of its hosts to another, to itself;
//! `internal=exclude` leaves it out. `sr` is the domain's.
//!
//! Counts to each target are columns of their own rather than a list inside a row, so that rows can be ordered and
//! filtered by them as by any other.

use super::urls::selections;
use super::{column, plain};
use crate::api::parameter::{
    EXCLUDE, FEWEST_TARGETS, FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, TARGETS, WHERE,
};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Source, Verb, Wider};
use crate::query::{Compute, LINKS_TO_TARGET, ListColumn, Listing, MAX_TARGETS, Rows};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "linkintersect",
    &[Verb::Get],
    Answer::SummaryBy { listing: &LISTINGS[FEWEST_TARGETS], ask },
)
.taking(&[TARGETS, EXCLUDE, SCOPE, INTERNAL, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT])
.widened(Wider { listing: &LISTING, when: "with as many targets[]" });

/// Columns before those of the targets.
const COMMON: usize = 3;

static COLUMNS: [ListColumn; COMMON + MAX_TARGETS] = columns();
static NAMES: [&str; COMMON + MAX_TARGETS] = names();

/// With columns for as many targets as can be.
pub static LISTING: Listing = listing(MAX_TARGETS);

/// With columns for each number of targets.
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
        rows: Rows::Intersection,
        columns: COLUMNS.split_at(COMMON + targets).0,
        order_fields: NAMES.split_at(COMMON + targets).0,
        default_order: &["-links"],
        where_fields: NAMES.split_at(COMMON + targets).0,
        ..Listing::BACKLINKS
    }
}

const fn columns() -> [ListColumn; COMMON + MAX_TARGETS] {
    let mut columns = [column("sr", Compute::DomainRank("domain")); COMMON + MAX_TARGETS];
    columns[0] = plain("domain");
    columns[1] = plain("links");
    let mut target = 0;
    while target < MAX_TARGETS {
        columns[COMMON + target] = plain(LINKS_TO_TARGET[target]);
        target += 1;
    }
    columns
}

const fn names() -> [&'static str; COMMON + MAX_TARGETS] {
    let columns = columns();
    let mut names = [""; COMMON + MAX_TARGETS];
    let mut at = 0;
    while at < names.len() {
        names[at] = columns[at].name;
        at += 1;
    }
    names
}

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    let most = call.state.config.max_targets.min(MAX_TARGETS);
    let given = call.params.list("targets")?;
    if given.is_empty() {
        return Err(ApiError::missing(
            "targets",
            "name at least two, for example targets[]=example.com&targets[]=example.org",
        ));
    }
    if !(FEWEST_TARGETS..=most).contains(&given.len()) {
        return Err(ApiError::BadRequest(format!(
            "targets has {} entries; name from {FEWEST_TARGETS} to {most}",
            given.len()
        )));
    }
    let left_out = call.params.list("exclude")?;
    if left_out.len() > most {
        return Err(ApiError::BadRequest(format!(
            "exclude has {} entries; name at most {most}",
            left_out.len()
        )));
    }
    let (targets, exclude) = (selections(call, "targets", &given)?, selections(call, "exclude", &left_out)?);
    Ok(Asked {
        listing: &LISTINGS[targets.len()],
        // Any would do: the rows are of all targets.
        selection: targets[0].clone(),
        source: Source::Intersection { targets, exclude },
        within: None,
    })
}
