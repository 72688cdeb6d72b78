//! What the endpoints about many URLs share: what each selects, and the totals of each.

use std::sync::Arc;

use crate::api::params::shorten;
use crate::api::{ApiError, Call};
use crate::model::SearchRank;
use crate::query::{Selection, Totals, scope_rank};
use crate::urls::Scope;

/// What is known of one of the URLs asked for.
pub(super) struct Known {
    /// As it was given.
    pub url: String,
    pub totals: Totals,
    pub rank: SearchRank,
}

/// What is known of each URL, in the order given.
pub(super) fn known(call: &Call<'_>) -> Result<Vec<Known>, ApiError> {
    let urls = given(call)?;
    let selections = selections(call, "urls", &urls)?;
    let snapshot = call.state.store.snapshot();
    let known = urls.into_iter().zip(selections).map(|(url, selection)| {
        call.deadline.check()?;
        let rank = scope_rank(&snapshot, &selection.scope)?;
        let selection = Arc::new(selection);
        let counts = call.state.searches.counts(&selection, call.deadline)?;
        if counts.all.backlinks == 0 {
            call.explain_none(&selection.scope, "links")?;
        }
        Ok(Known { url, totals: counts.all, rank })
    });
    known.collect()
}

/// What each of the entries of a list parameter selects, by `scope` and `internal`.
pub(super) fn selections(
    call: &Call<'_>,
    name: &str,
    entries: &[impl AsRef<str>],
) -> Result<Vec<Selection>, ApiError> {
    let kind = call.params.scope_kind()?;
    let internal = call.params.internal()?;
    let state = call.state;
    let selection = |(at, url): (usize, &str)| match Scope::parse(url, kind, &state.rules, &state.suffixes) {
        Ok(scope) => Ok(Selection { scope, internal }),
        Err(error) => Err(ApiError::BadRequest(format!(
            "entry {} of {name}, \"{}\", cannot be used: {error}",
            at + 1,
            shorten(url)
        ))),
    };
    entries.iter().map(AsRef::as_ref).enumerate().map(selection).collect()
}

fn given(call: &Call<'_>) -> Result<Vec<String>, ApiError> {
    let urls: Vec<String> = match call.posted {
        Some(posted) => posted.json(call.endpoint.body())?,
        None => call.params.list("urls")?.into_iter().map(str::to_owned).collect(),
    };
    let most = call.state.config.max_urls;
    if urls.is_empty() {
        return Err(ApiError::missing("urls", "name at least one, for example urls[]=example.com"));
    }
    if urls.len() > most {
        return Err(ApiError::BadRequest(format!(
            "urls names {} URLs; name at most {most} at once",
            urls.len()
        )));
    }
    Ok(urls)
}
