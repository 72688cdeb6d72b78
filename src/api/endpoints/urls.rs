//! What the endpoints about many URLs share: which URLs are asked for, and the totals of each.

use crate::api::params::shorten;
use crate::api::{ApiError, Call};
use crate::model::SearchRank;
use crate::query::{Scan, Selection, Totals, scope_rank};
use crate::urls::Scope;

/// What is known of one of the URLs asked for.
pub(super) struct Known {
    /// As it was given.
    pub url: String,
    pub totals: Totals,
    pub rank: SearchRank,
}

/// What is known of each URL, in the order given, all from one state of the store.
pub(super) fn known(call: &Call<'_>) -> Result<Vec<Known>, ApiError> {
    let selections = selections(call)?;
    let snapshot = call.state.store.snapshot();
    let known = selections.into_iter().map(|(url, selection)| {
        let scan = Scan {
            snapshot: &snapshot,
            selection: &selection,
            suffixes: &call.state.suffixes,
            deadline: call.deadline,
        };
        call.deadline.check()?;
        Ok(Known { url, totals: scan.totals()?, rank: scope_rank(&snapshot, &selection.scope)? })
    });
    known.collect()
}

fn selections(call: &Call<'_>) -> Result<Vec<(String, Selection)>, ApiError> {
    let kind = call.params.scope_kind()?;
    let internal = call.params.internal()?;
    let state = call.state;
    let selection = |(at, url): (usize, String)| match Scope::parse(&url, kind, &state.rules, &state.suffixes)
    {
        Ok(scope) => Ok((url, Selection { scope, internal })),
        Err(error) => Err(ApiError::BadRequest(format!(
            "entry {} of urls, \"{}\", cannot be used: {error}",
            at + 1,
            shorten(&url)
        ))),
    };
    given(call)?.into_iter().enumerate().map(selection).collect()
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
