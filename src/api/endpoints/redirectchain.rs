//! `/redirectchain`: the way from a URL to its end, hop by hop, as the index last saw it.
//!
//! `url` is always one URL here: `example.com` is `example.com/`. Without a scheme there are two chains, under http and
//! under https, of which those are shown whose first URL ever answered; when neither did, the one under http.
//! Each row is a URL: `hop` numbers them from 1, `start` is the first of its chain, `code` the HTTP status last
//! answered, and `tag` how it leads on: `301`, `302`, `303`, `307`, `308` or `refresh`. A canonical link is not
//! followed: it moves nobody. The last row of a chain says in `end` why it is the last:
//!
//! * `reached`: the URL leads nowhere else, be it a page or an error, as `code` tells;
//! * `unknown`: the URL never answered, or was never visited; `code` is 0;
//! * `loop`: the chain has been here before;
//! * `too_long`: the URL leads on, but `api.max_redirects` redirects lie behind.

use super::plain;
use crate::api::parameter::{FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE_OF_URL, URL, WHERE};
use crate::api::{Answer, ApiError, Asked, Call, Endpoint, Source, Verb};
use crate::query::{Listing, Rows, Selection};
use crate::urls::{Scope, ScopeKind};

pub static ENDPOINT: Endpoint =
    Endpoint::new("redirectchain", &[Verb::Get], Answer::SummaryBy { listing: &LISTING, ask }).taking(&[
        URL,
        SCOPE_OF_URL,
        INTERNAL,
        WHERE,
        ORDER,
        LIMIT,
        OFFSET,
        FIELDS,
        FORMAT,
    ]);

pub static LISTING: Listing = Listing {
    name: "redirectchain",
    rows: Rows::Hops,
    columns: &[plain("url"), plain("code"), plain("tag"), plain("end"), plain("hop"), plain("start")],
    order_fields: &["hop", "url", "code"],
    where_fields: &["url", "code", "tag", "end", "hop", "start"],
    ..Listing::BACKLINKS
};

fn ask(call: &Call<'_>) -> Result<Asked, ApiError> {
    if call.params.scope_kind()?.is_some_and(|kind| kind != ScopeKind::Url) {
        return Err(ApiError::BadRequest(
            "scope is not url, but a chain begins with one URL; leave scope away".to_owned(),
        ));
    }
    let state = call.state;
    let scope = Scope::parse(call.params.url()?, Some(ScopeKind::Url), &state.rules, &state.suffixes)?;
    Ok(Asked {
        listing: &LISTING,
        selection: Selection { scope, internal: call.params.internal()? },
        source: Source::RedirectChains { most: state.config.max_redirects },
        within: None,
    })
}
