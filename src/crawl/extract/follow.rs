//! Decides which discovered URLs are queued.

use std::sync::Arc;

use crate::config::Config;
use crate::crawl::progress::Progress;
use crate::model::Day;
use crate::policy::{AdmissionRules, BlockList, Reason, SeedDomains, TrapRules};
use crate::urls::CanonicalUrl;

/// The admission rules of a crawl, with a count of the URLs that they exclude.
#[derive(Clone)]
pub(super) struct FollowRules {
    pub(super) admission: AdmissionRules,
    progress: Arc<Progress>,
}

impl FollowRules {
    /// Rules that exclude traps and deep URLs only.
    pub(super) fn new(config: &Config, progress: &Arc<Progress>) -> Self {
        let admission = AdmissionRules {
            seed_domains: None,
            blocks: BlockList::default(),
            traps: TrapRules::new(&config.traps),
            max_depth: config.crawl.max_depth,
        };
        Self { admission, progress: Arc::clone(progress) }
    }

    pub(super) fn with_progress(&self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self.clone() }
    }

    /// Stays on these registrable domains; `None` goes anywhere.
    pub(super) fn with_domains(&self, seed_domains: Option<SeedDomains>) -> Self {
        let admission = AdmissionRules { seed_domains, ..self.admission.clone() };
        Self { admission, progress: Arc::clone(&self.progress) }
    }

    /// Allows the registrable domains of more seeds, and replaces the block list.
    pub(super) fn with_seeds(&self, seeds: &[CanonicalUrl], blocks: BlockList) -> Self {
        let mut admission = AdmissionRules { blocks, ..self.admission.clone() };
        if let Some(domains) = &mut admission.seed_domains {
            domains.add(seeds);
        }
        Self { admission, progress: Arc::clone(&self.progress) }
    }

    /// Whether a discovered URL may be queued. Counts those that may not.
    pub(super) fn may_follow(&self, url: &CanonicalUrl, today: Day) -> bool {
        let admitted = self.admission.admit(url, today);
        match &admitted {
            Err(Reason::Blocked(_)) => Progress::add(&self.progress.blocked, 1),
            Err(Reason::Trap(trap)) => {
                Progress::add(&self.progress.trapped, 1);
                tracing::debug!(%url, %trap, "a trap URL is not queued");
            }
            _ => {}
        }
        admitted.is_ok()
    }
}
