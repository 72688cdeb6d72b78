//! The common part of the endpoints about many URLs: their selections and totals.

use std::sync::Arc;

use crate::api::{ApiError, Provenance, RequestContext};
use crate::model::SearchRank;
use crate::query::shorten;
use crate::query::{ErrorCode, Selection, Totals, scope_rank};
use crate::urls::Scope;

/// The totals of one of the requested URLs.
pub(super) struct UrlTotals {
    /// As the client wrote it.
    pub url: String,
    pub totals: Totals,
    pub rank: SearchRank,
}

/// Returns the totals of each requested URL in one state of the index, in the order given, and what they were computed from.
pub(super) fn totals_of_each(context: &RequestContext<'_>) -> Result<(Vec<UrlTotals>, Provenance), ApiError> {
    let urls = requested_urls(context)?;
    let selections = selections(context, "urls", &urls)?;
    let present = context.state.searches.present()?;
    let mut provenance = Provenance::of_state(present.state);
    let mut totals = Vec::with_capacity(urls.len());
    for (url, selection) in urls.into_iter().zip(selections) {
        context.deadline.check()?;
        let rank = scope_rank(&present.snapshot, &selection.scope)?;
        let selection = Arc::new(selection);
        let counts = context.state.searches.counts_in(&present, &selection, context.deadline)?;
        if counts.all.backlinks == 0 {
            provenance = context.explain_no_rows(&selection.scope, "links", provenance)?;
        }
        totals.push(UrlTotals { url, totals: counts.all, rank });
    }
    Ok((totals, provenance))
}

/// Returns the selection of each entry of a list parameter, by `scope` and `internal`.
pub(super) fn selections(
    context: &RequestContext<'_>,
    name: &str,
    entries: &[impl AsRef<str>],
) -> Result<Vec<Selection>, ApiError> {
    let kind = context.params.scope_kind()?;
    let internal = context.params.internal()?;
    let state = context.state;
    let selection = |(at, url): (usize, &str)| match Scope::parse(url, kind, &state.rules, &state.suffixes) {
        Ok(scope) => Ok(Selection { scope, internal }),
        Err(error) => {
            let message =
                format!("entry {} of {name}, \"{}\", cannot be used: {error}", at + 1, shorten(url));
            Err(ApiError::of_value(context.params.name_of_entry(name, at), url, ErrorCode::BadValue, message))
        }
    };
    entries.iter().map(AsRef::as_ref).enumerate().map(selection).collect()
}

fn requested_urls(context: &RequestContext<'_>) -> Result<Vec<String>, ApiError> {
    let urls: Vec<String> = match context.json_body {
        Some(body) => body.parse(context.endpoint.body())?,
        None => context.params.list("urls")?.into_iter().map(str::to_owned).collect(),
    };
    check_number(context, &urls)?;
    Ok(urls)
}

/// Refuses an empty list of URLs, and one with more URLs than the endpoint takes.
pub(super) fn check_number(context: &RequestContext<'_>, urls: &[String]) -> Result<(), ApiError> {
    let max = context.endpoint.max_urls(&context.state.config);
    if urls.is_empty() {
        return Err(ApiError::missing("urls", "name at least one, for example urls[]=example.com"));
    }
    if urls.len() > max {
        let message = format!("urls names {} URLs; name at most {max} at once", urls.len());
        return Err(ApiError::without_place("urls", ErrorCode::TooLarge, message));
    }
    Ok(())
}
