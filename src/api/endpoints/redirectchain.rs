//! `/redirectchain`: the redirects from a URL to its end, hop by hop, as the index last saw them.
//!
//! `url` is always one URL here: `example.com` is `example.com/`. Without a scheme there are two chains, one for http
//! and one for https. Shown are those whose first URL ever responded or, if neither did, the one for http. Each row is
//! a URL. `hop` numbers the URLs from 1, `start` is the first URL of the chain, and `code` is the last HTTP status.
//! `tag` says how the URL redirects: `301`, `302`, `303`, `307`, `308` or `refresh`. A canonical link is not followed,
//! because it does not move visitors. In the last row of a chain, `end` says why the chain ends:
//!
//! * `reached`: the URL does not redirect; it is a page or an error, as `code` says;
//! * `unknown`: the URL never responded, or was never visited; `code` is 0;
//! * `loop`: the URL is in the chain already;
//! * `too_long`: the URL redirects, but the chain has `api.max_redirects` redirects.

use super::field_column;
use crate::api::request::parameter::{
    FACETS, FIELDS, FORMAT, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE_OF_URL, URL, WHERE,
};
use crate::api::{
    ApiError, ComputedRows, Docs, Endpoint, Handler, ListRequest, RequestContext, RowSource, Topic, Verb,
};
use crate::query::{ErrorCode, Listing, RowKind, Selection};
use crate::urls::{Scope, ScopeKind};

pub static ENDPOINT: Endpoint = Endpoint::new(
    "redirectchain",
    DOCS,
    &[Verb::Get],
    Handler::CustomCompleteList { listing: &LISTING, build_request },
)
.with_parameters(&[URL, SCOPE_OF_URL, INTERNAL, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]);

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Redirects from a URL to its end",
    description: "Lists the URLs from `url` to the end of its redirects, as the last visits found them. `code` is \
                  the last HTTP status, and `tag` says how the URL leads on. In the last row `end` is `reached`, \
                  `unknown`, `loop` or `too_long`. Without a scheme, http and https are followed.",
};

pub static LISTING: Listing = Listing {
    name: "redirectchain",
    rows: RowKind::Hops,
    columns: &[
        field_column("url"),
        field_column("code"),
        field_column("tag"),
        field_column("end"),
        field_column("hop"),
        field_column("start"),
    ],
    ..Listing::DEFAULT
};

fn build_request(context: &RequestContext<'_>) -> Result<ListRequest, ApiError> {
    if context.params.scope_kind()?.is_some_and(|kind| kind != ScopeKind::Url) {
        let scope = context.params.single("scope")?.unwrap_or_default();
        let message = "scope is not url, but a chain begins with one URL; omit scope".to_owned();
        return Err(ApiError::of_value("scope", scope, ErrorCode::BadValue, message));
    }
    let state = context.state;
    let url = context.params.url()?;
    let scope = Scope::parse(url, Some(ScopeKind::Url), &state.rules, &state.suffixes)
        .map_err(|error| ApiError::from(error).about_value(url))?;
    let selection = Selection { scope, internal: context.params.internal()? };
    let max_redirects = state.config.max_redirects;
    let source = RowSource::Computed(ComputedRows::RedirectChains { selection, max_redirects });
    Ok(ListRequest { listing: &LISTING, source, day_range: None })
}
