//! The site of a trial: a person asks for it now, so it is asked at once, and a trial without a page says why.

use crate::cli::context::CliContext;
use crate::fetch::StoredRobots;
use crate::inspect::UrlReport;
use crate::model::OutlinkRecord;
use crate::store::{Commit, Store};
use crate::urls::CanonicalUrl;

/// Ends the backoffs of the hosts of a site, as a new seed does, and lets a robots.txt that failed be fetched again.
pub(super) fn wake(store: &Store, seed: &CanonicalUrl) -> anyhow::Result<()> {
    let domain = store.suffixes().domain_of(seed.host()).to_owned();
    let mut backoffs = Vec::new();
    for (queue, host) in store.servers(&domain)? {
        if let Some(origin) = queue.origin() {
            retry_robots(store, &origin)?;
        }
        if host.backoff_until > 0 {
            backoffs.push((queue, 0));
        }
    }
    store.commit(Commit { backoffs, ..Commit::default() })?;
    Ok(())
}

/// Makes a failed robots.txt due. The start of its failures stays, and with it the time after which it means nothing.
fn retry_robots(store: &Store, origin: &str) -> anyhow::Result<()> {
    let stored = store.robots(origin)?.and_then(|bytes| StoredRobots::decode(&bytes));
    if let Some(stored) = stored.filter(|stored| stored.failing_since > 0) {
        store.keep_robots(origin, &StoredRobots { tried: 0, ..stored }.encode())?;
    }
    Ok(())
}

/// Why nothing of a site can be looked at, in sentences.
pub(super) fn explain(context: &CliContext, store: &Store, seed: &CanonicalUrl) -> anyhow::Result<String> {
    let report = context.inspector(store, std::slice::from_ref(seed)).url(seed)?;
    let mut sentences: Vec<String> = answer(context, store, seed, &report)?.into_iter().collect();
    sentences.extend(report.cause.iter().map(|cause| format!("Its last request failed: {cause}.")));
    sentences.extend(report.reasons.iter().map(ToString::to_string));
    Ok(sentences.join("\n"))
}

/// What the page answered, if that is no page to read.
fn answer(
    context: &CliContext,
    store: &Store,
    seed: &CanonicalUrl,
    report: &UrlReport,
) -> anyhow::Result<Option<String>> {
    let Some(page) = report.page.as_ref().filter(|page| page.failure.is_none()) else { return Ok(None) };
    let snapshot = store.snapshot();
    let links = snapshot.outlinks(seed)?;
    if let Some(OutlinkRecord { target, .. }) = links.iter().find(|link| link.tag.is_redirect()) {
        let domain = context.suffixes.domain_of(target.host());
        return Ok(Some(match context.suffixes.domain_of(seed.host()) == domain {
            true => format!("It redirects to {target}."),
            false => format!("It redirects to {target}, another site: backlinkd try {domain}"),
        }));
    }
    let kind = store.page(seed)?.map_or(String::new(), |page| page.facts.content_type);
    Ok(Some(match page.status {
        200..300 if kind.is_empty() => "Its answer has no media type, and is not HTML.".to_owned(),
        200..300 => format!("It answered with {kind}, which is not HTML."),
        status => format!("It answered with status {status}."),
    }))
}
