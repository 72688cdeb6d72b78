//! Redirect chains: redirects followed within the visit of one page. They cannot be followed as links,
//! because they set a cookie or lead back to the same page.
//!
//! A site may show its pages only to visitors that return a cookie of a redirect, or that bring a session id
//! that a redirect has added to the URL. Such a redirect is followed with the cookies of its chain. The chain
//! must stay on one scheme, host and port, and has at most `fetch.max_chain_redirects` steps. Each step waits
//! for the delay of the host like any request. At the end, each URL of the chain has a record of its last
//! response.

use crate::fetch::{CookieJar, Response};
use crate::model::{LinkTag, QueueName, VisitRecord};
use crate::urls::{CanonicalUrl, UrlRules};

/// A redirect chain that continues.
#[derive(Clone, Debug)]
pub(in crate::crawl) struct RedirectChain {
    /// The next URL to request, as the redirect gives it: with its session id.
    pub next: CanonicalUrl,
    pub cookies: CookieJar,
    /// Redirects followed so far.
    pub steps: u32,
    /// The last responses of the requested URLs.
    pub records: Vec<VisitRecord>,
}

/// Returns the chain that a response of `requested` continues; `None` when the chain ends. `is_read` says
/// whether a page was read before, and so needs no cookie.
pub(in crate::crawl) fn next_step(
    requested: &CanonicalUrl,
    response: &Response,
    so_far: Option<&RedirectChain>,
    rules: &UrlRules,
    max_steps: u32,
    is_read: impl Fn(&CanonicalUrl) -> bool,
) -> Option<RedirectChain> {
    LinkTag::from_redirect_status(response.status)?;
    let (steps, mut cookies) =
        so_far.map_or((0, CookieJar::default()), |chain| (chain.steps, chain.cookies.clone()));
    if steps >= max_steps {
        return None;
    }
    let location = response.location.as_deref()?;
    let next = rules.resolve_verbatim(&rules.base(requested)?, location).ok()?;
    if QueueName::of(&next) != QueueName::of(requested) {
        return None;
    }
    let sets_cookie = cookies.take_in(requested, &response.headers);
    let target = rules.canonical(next.as_str()).ok()?;
    let comes_back =
        target == *requested || Some(&target) == rules.canonical(requested.as_str()).ok().as_ref();
    let goes_on = if comes_back {
        // The same request would get the same response.
        sets_cookie || next != *requested
    } else {
        let was_asked = so_far.is_some_and(|chain| chain.records.iter().any(|record| record.url == target));
        (sets_cookie || so_far.is_some()) && (was_asked || !is_read(&target))
    };
    let records = so_far.map_or_else(Vec::new, |chain| chain.records.clone());
    goes_on.then_some(RedirectChain { next, cookies, steps: steps + 1, records })
}
