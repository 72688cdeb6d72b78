//! Redirects that are followed within the visit of one page, because they cannot be followed as links: those that set a
//! cookie, and those that lead back to the same page.
//!
//! A site may show its pages only to visitors who send back a cookie that a redirect has set, or who bring a session id
//! that a redirect has added to the URL. Such a redirect is followed with the cookies of its chain, as long as it stays
//! on one scheme, host and port and has no more than `fetch.max_chain_redirects` steps. Each step waits for the host's
//! turn like any request. In the end each URL of the chain has the record of its last answer.

use crate::fetch::{Answer, CookieJar};
use crate::frontier::QueueName;
use crate::model::{LinkTag, PageRecord};
use crate::urls::{CanonicalUrl, UrlRules};

/// A chain of redirects that goes on.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The URL to ask next, as the redirect gives it: with its session id.
    pub next: CanonicalUrl,
    pub cookies: CookieJar,
    /// Redirects followed so far.
    pub steps: u32,
    /// The last answers of the URLs that were asked.
    pub records: Vec<PageRecord>,
}

/// Where an answer of `asked` leads within its chain; `None` when the chain ends with it. `is_read` tells whether a page
/// needs no cookie, because it was read before.
pub(super) fn next(
    asked: &CanonicalUrl,
    answer: &Answer,
    so_far: Option<&Chain>,
    rules: &UrlRules,
    most: u32,
    is_read: impl Fn(&CanonicalUrl) -> bool,
) -> Option<Chain> {
    LinkTag::from_redirect_status(answer.status)?;
    let (steps, mut cookies) =
        so_far.map_or((0, CookieJar::default()), |chain| (chain.steps, chain.cookies.clone()));
    if steps >= most {
        return None;
    }
    let location = answer.location.as_deref()?;
    let next = rules.resolve_verbatim(&rules.base(asked)?, location).ok()?;
    if QueueName::of(&next) != QueueName::of(asked) {
        return None;
    }
    let sets_cookie = cookies.take_in(asked, &answer.headers);
    let target = rules.canonical(next.as_str()).ok()?;
    let comes_back = target == *asked || Some(&target) == rules.canonical(asked.as_str()).ok().as_ref();
    let goes_on = if comes_back {
        // The same request would bring the same answer.
        sets_cookie || next != *asked
    } else {
        let was_asked = so_far.is_some_and(|chain| chain.records.iter().any(|record| record.url == target));
        (sets_cookie || so_far.is_some()) && (was_asked || !is_read(&target))
    };
    let records = so_far.map_or_else(Vec::new, |chain| chain.records.clone());
    goes_on.then_some(Chain { next, cookies, steps: steps + 1, records })
}
