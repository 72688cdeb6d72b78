//! `/domains`: the registrable domains of the whole index.
//!
//! A domain is in the list if it has pages that answered, or backlinks. `pages` counts the pages that `exportpages` lists,
//! `backlinks` and `refdoms` are those of `backlinkshort`, and `hosts` counts the hosts with pages or backlinks. All
//! figures are of one state, which `asOf` names: that of the last ranking, whose time is `ranked`, or, without a file
//! of it, one that is read for the request. With `random=true` the rows come in a random order, another one for
//! each request, and `order[]` is ignored.

use super::field_column;
use crate::api::request::parameter::{FACETS, FIELDS, FORMAT, LIMIT, OFFSET, ORDER, RANDOM, WHERE};
use crate::api::{
    ApiError, ComputedRows, Docs, Endpoint, Handler, ListRequest, RequestContext, RowSource, Topic, Verb,
};
use crate::query::{Listing, RowKind};

pub static ENDPOINT: Endpoint =
    Endpoint::new("domains", DOCS, &[Verb::Get], Handler::CustomList { listing: &LISTING, build_request })
        .with_parameters(&[RANDOM, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

const DOCS: Docs = Docs {
    topic: Topic::Index,
    summary: "Registrable domains of the index",
    description: "Lists the registrable domains with pages that answered, or with backlinks. All figures \
                  are of one state, which `asOf` names: that of the last ranking, whose time is `ranked`. \
                  `random=true` gives the rows in another order for each request, and ignores `order[]`.",
};

pub static LISTING: Listing = Listing {
    name: "domains",
    rows: RowKind::Domains,
    columns: &[
        field_column("domain"),
        field_column("sr"),
        field_column("refdoms"),
        field_column("backlinks"),
        field_column("pages"),
        field_column("hosts"),
    ],
    default_order: &["-sr"],
    ..Listing::DEFAULT
};

/// The listing of rows that are in order already.
static SHUFFLED: Listing = Listing { name: "random domains", default_order: &[], ..LISTING };

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    let is_random = context.params.one_of("random", &[("true", true), ("false", false)])?.unwrap_or(false);
    let sites = context.state.searches.sites().read(context.deadline)?;
    let (listing, seed) = if is_random { (&SHUFFLED, Some(random_seed()?)) } else { (&LISTING, None) };
    let source = RowSource::Computed(ComputedRows::Domains { sites, seed });
    Ok(ListRequest { listing, source, day_range: None })
}

fn random_seed() -> Result<u64, ApiError> {
    getrandom::u64().map_err(|error| ApiError::Internal(format!("there are no random numbers: {error}")))
}
