//! Decides what happens to a URL that the frontier picked: whether its stored record, the block list and
//! robots.txt allow a fetch.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::clock::unix_now;
use crate::crawl::progress::Progress;
use crate::crawl::walls::redirect_chain::RedirectChain;
use crate::fetch::{FetchPermit, RobotsAnswer, RobotsCache, RobotsRequest, Validators};
use crate::model::{CLOCK_ERROR, Cut, Day, Disposition, Priority, QueueEntry, StoredPage, Target};
use crate::policy::{BlockList, RevisitRules};
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

/// Redirect chains that wait for their next request. A chain beyond the limit starts over.
const MAX_CHAINS: usize = 10_000;

/// What happens to a URL that the frontier picked.
pub(in crate::crawl) enum UrlDecision {
    /// It is requested, with the validators of its stored page or within its redirect chain.
    Fetch { permit: FetchPermit, validators: Option<Validators>, chain: Option<RedirectChain> },
    /// It is completed without a request.
    Complete(Disposition),
    /// The robots.txt of its host is fetched first, in its turn.
    FetchRobots(RobotsRequest),
    /// Its host is parked for this long, because its robots.txt is unreachable.
    Park(Duration),
    /// It stays in its queue, which is not read until the block list changes.
    Hold,
}

/// The rules for a URL that the frontier picked, and the redirect chains that wait for their next request.
pub(in crate::crawl) struct UrlCheck {
    store: Arc<Store>,
    robots: Arc<RobotsCache>,
    revisit_rules: RevisitRules,
    blocks: BlockList,
    progress: Arc<Progress>,
    /// By the queued URL.
    chains: HashMap<CanonicalUrl, RedirectChain>,
}

impl UrlCheck {
    pub(crate) fn new(
        store: &Arc<Store>,
        robots: &Arc<RobotsCache>,
        revisit_rules: RevisitRules,
        blocks: BlockList,
        progress: &Arc<Progress>,
    ) -> Self {
        let (store, robots, progress) = (Arc::clone(store), Arc::clone(robots), Arc::clone(progress));
        Self { store, robots, revisit_rules, blocks, progress, chains: HashMap::default() }
    }

    pub(crate) fn set_blocks(&mut self, blocks: BlockList) {
        self.blocks = blocks;
    }

    /// Keeps a redirect chain for the next request of its queued URL.
    pub(crate) fn add_chain(&mut self, entry: &QueueEntry, chain: RedirectChain) {
        if self.chains.len() < MAX_CHAINS {
            self.chains.insert(entry.url.clone(), chain);
        }
    }

    /// Decides about a queued URL. A sitemap is read from the queue again, because further hosts may have
    /// named it since.
    ///
    /// # Errors
    /// When the record of the page, or the entry of the sitemap, cannot be read.
    pub(crate) fn decide(&mut self, entry: &mut QueueEntry) -> Result<UrlDecision, StoreError> {
        let page = match entry.target {
            Target::Page => self.store.page(&entry.url)?,
            Target::Sitemap(_) => match self.store.reread_entry(entry)? {
                Some(current) => {
                    *entry = current;
                    None
                }
                None => return Ok(UrlDecision::Complete(Disposition::Withdrawn)),
            },
        };
        if let Some(disposition) = self.disposition_if_visited(entry, page.as_ref()) {
            return Ok(UrlDecision::Complete(disposition));
        }
        if self.blocks.blocks(entry.url.host()) {
            return Ok(UrlDecision::Hold);
        }
        if let Some(chain) = self.chains.remove(&entry.url)
            && let RobotsAnswer::Allowed(permit) = self.robots.check(&chain.next)
        {
            return Ok(UrlDecision::Fetch { permit, validators: None, chain: Some(chain) });
        }
        Ok(match self.robots.check(&entry.url) {
            RobotsAnswer::Allowed(permit) => {
                UrlDecision::Fetch { permit, validators: page.and_then(validators), chain: None }
            }
            RobotsAnswer::Disallowed { line } => {
                tracing::debug!(url = %entry.url, line, "robots.txt disallows the URL");
                Progress::add(&self.progress.disallowed, 1);
                UrlDecision::Complete(self.postponed())
            }
            RobotsAnswer::Unavailable { retry_in } => UrlDecision::Park(retry_in),
            RobotsAnswer::NeedsFetch(job) => UrlDecision::FetchRobots(job),
        })
    }

    /// The disposition of a URL that robots.txt disallows: it waits for the longest interval, after which any
    /// page is visited again.
    fn postponed(&self) -> Disposition {
        Disposition::Postponed(unix_now() + self.revisit_rules.max.as_secs())
    }

    /// Returns the disposition of an entry whose visit was made already, because a URL may be queued twice. A
    /// page with `next_visit` 0 waits for a retry, so its entry is not a duplicate. A page queued too soon after
    /// its last visit is scheduled again.
    fn disposition_if_visited(&self, entry: &QueueEntry, page: Option<&StoredPage>) -> Option<Disposition> {
        let page = page.filter(|_| entry.attempts == 0)?;
        let (rules, now) = (&self.revisit_rules, unix_now());
        let earliest = page.visited + rules.min.as_secs();
        // A visit in the future was made while the clock ran ahead. Its age is unknown.
        let too_soon = earliest > now && page.visited <= now.saturating_add(CLOCK_ERROR);
        match entry.priority {
            Priority::Revisit(_) => too_soon.then(|| {
                let planned = rules.next_visit(page, now);
                Disposition::Postponed(earliest.max(planned))
            }),
            priority => (priority.is_new_page() && page.next_visit != 0).then_some(Disposition::Withdrawn),
        }
    }
}

/// The validators of a conditional request. A 304 can only renew a page whose last answer was a 200. A
/// truncated page is requested in full, and so is one that never came: the validators are those of a challenge.
fn validators(page: StoredPage) -> Option<Validators> {
    let has_come = page.fetched_day != Day::default();
    let facts = page.facts;
    let is_whole = !matches!(facts.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding));
    let usable = has_come
        && is_whole
        && facts.status == 200
        && !(facts.etag.is_empty() && facts.last_modified.is_empty());
    usable.then_some(Validators { etag: facts.etag, last_modified: facts.last_modified })
}
