//! Decides what happens to a URL that the frontier picked: whether its stored record, the block list and
//! robots.txt allow a fetch.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::clock::unix_now;
use crate::crawl::progress::Progress;
use crate::crawl::walls::redirect_chain::RedirectChain;
use crate::fetch::{Allowed, RobotsAnswer, RobotsCache, RobotsFetch, Validators};
use crate::model::{CLOCK_ERROR, Cut, Disposition, Priority, QueuedUrl, StoredPage, Target};
use crate::policy::{BlockList, RecrawlRules};
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

/// Redirect chains that wait for their next request. A chain beyond the limit starts over.
const MAX_CHAINS: usize = 10_000;

/// What happens to a URL that the frontier picked.
pub(in crate::crawl) enum PageDecision {
    /// It is requested, with the validators of its stored page or within its redirect chain.
    Fetch { permit: Allowed, validators: Option<Validators>, chain: Option<RedirectChain> },
    /// It is completed without a request.
    Complete(Disposition),
    /// It waits for the robots.txt of its host.
    AwaitRobots(RobotsFetch),
    /// Its host is parked for this long, because its robots.txt is unreachable.
    Park(Duration),
}

/// The rules for a URL that the frontier picked, and the redirect chains that wait for their next request.
pub(in crate::crawl) struct PageCheck {
    store: Arc<Store>,
    robots: Arc<RobotsCache>,
    recrawl: RecrawlRules,
    blocks: BlockList,
    progress: Arc<Progress>,
    /// By the queued URL.
    chains: HashMap<CanonicalUrl, RedirectChain>,
}

impl PageCheck {
    pub(crate) fn new(
        store: &Arc<Store>,
        robots: &Arc<RobotsCache>,
        recrawl: RecrawlRules,
        blocks: BlockList,
        progress: &Arc<Progress>,
    ) -> Self {
        let (store, robots, progress) = (Arc::clone(store), Arc::clone(robots), Arc::clone(progress));
        Self { store, robots, recrawl, blocks, progress, chains: HashMap::default() }
    }

    pub(crate) fn set_blocks(&mut self, blocks: BlockList) {
        self.blocks = blocks;
    }

    /// Keeps a redirect chain for the next request of its queued URL.
    pub(crate) fn add_chain(&mut self, queued: &QueuedUrl, chain: RedirectChain) {
        if self.chains.len() < MAX_CHAINS {
            self.chains.insert(queued.url.clone(), chain);
        }
    }

    /// Decides about a queued URL. A sitemap is read from the queue again, because further hosts may have
    /// named it since.
    ///
    /// # Errors
    /// When the record of the page, or the entry of the sitemap, cannot be read.
    pub(crate) fn decide(&mut self, queued: &mut QueuedUrl) -> Result<PageDecision, StoreError> {
        let page = match queued.target {
            Target::Page => self.store.page(&queued.url)?,
            Target::Sitemap(_) => match self.store.entry_now(queued)? {
                Some(current) => {
                    *queued = current;
                    None
                }
                None => return Ok(PageDecision::Complete(Disposition::Withdrawn)),
            },
        };
        if let Some(disposition) = self.disposition_if_visited(queued, page.as_ref()) {
            return Ok(PageDecision::Complete(disposition));
        }
        if self.blocks.blocks(queued.url.host()) {
            Progress::add(&self.progress.blocked, 1);
            return Ok(PageDecision::Complete(self.postponed()));
        }
        if let Some(chain) = self.chains.remove(&queued.url)
            && let RobotsAnswer::Allowed(permit) = self.robots.check(&chain.next)
        {
            return Ok(PageDecision::Fetch { permit, validators: None, chain: Some(chain) });
        }
        Ok(match self.robots.check(&queued.url) {
            RobotsAnswer::Allowed(permit) => {
                PageDecision::Fetch { permit, validators: page.and_then(validators), chain: None }
            }
            RobotsAnswer::Disallowed { line } => {
                tracing::debug!(url = %queued.url, line, "robots.txt disallows the URL");
                Progress::add(&self.progress.disallowed, 1);
                PageDecision::Complete(self.postponed())
            }
            RobotsAnswer::Unreachable { retry_in } => PageDecision::Park(retry_in),
            RobotsAnswer::NeedsFetch(job) => PageDecision::AwaitRobots(job),
        })
    }

    /// The disposition of a URL that may not be fetched: it waits for the longest interval, after which any
    /// page is visited again.
    fn postponed(&self) -> Disposition {
        Disposition::Postponed(unix_now() + self.recrawl.max.as_secs())
    }

    /// Returns the disposition of an entry whose visit was made already, because a URL may be queued twice. A
    /// page without a next visit has only one entry. A page that is due too soon after its last visit left
    /// the schedule when it was queued, and returns to it.
    fn disposition_if_visited(&self, queued: &QueuedUrl, page: Option<&StoredPage>) -> Option<Disposition> {
        let page = page.filter(|_| queued.attempts == 0)?;
        let (rules, now) = (&self.recrawl, unix_now());
        let earliest = page.visited + rules.min.as_secs();
        // A visit in the future was made while the clock ran ahead. Its age is unknown.
        let too_soon = earliest > now && page.visited <= now.saturating_add(CLOCK_ERROR);
        match queued.priority {
            Priority::Again(_) => too_soon.then(|| {
                let planned = rules.next_visit(page, now);
                Disposition::Postponed(earliest.max(planned))
            }),
            priority => (priority.is_new_page() && page.next_visit != 0).then_some(Disposition::Withdrawn),
        }
    }
}

/// The validators of a conditional request. A 304 can only renew a page whose last answer was a 200. A
/// truncated page is requested in full.
fn validators(page: StoredPage) -> Option<Validators> {
    let facts = page.facts;
    let is_whole = !matches!(facts.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding));
    let usable =
        is_whole && facts.status == 200 && !(facts.etag.is_empty() && facts.last_modified.is_empty());
    usable.then_some(Validators { etag: facts.etag, last_modified: facts.last_modified })
}
