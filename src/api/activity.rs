//! What runs beside the API in the same process, as far as it tells of itself: the crawl and the ranking.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::crawl::Progress;

/// Filled in by the daemon; a server alone has an empty one.
#[derive(Debug, Default)]
pub struct Activity {
    crawl: Option<Arc<Progress>>,
    last_ranking: Mutex<Option<Ranking>>,
    failed_rankings: AtomicU64,
}

/// A ranking that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranking {
    pub took: Duration,
    pub ended: SystemTime,
}

impl Activity {
    /// Beside a crawl.
    pub fn of_crawl(progress: &Arc<Progress>) -> Self {
        Self { crawl: Some(Arc::clone(progress)), ..Self::default() }
    }

    pub fn crawl(&self) -> Option<&Arc<Progress>> {
        self.crawl.as_ref()
    }

    /// Tells of a ranking that was published just now.
    pub fn ranked(&self, took: Duration) {
        let ranking = Ranking { took, ended: SystemTime::now() };
        *self.last_ranking.lock().unwrap_or_else(PoisonError::into_inner) = Some(ranking);
    }

    /// Tells of a ranking that failed.
    pub fn ranking_failed(&self) {
        self.failed_rankings.fetch_add(1, Ordering::Relaxed);
    }

    pub fn last_ranking(&self) -> Option<Ranking> {
        *self.last_ranking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn failed_rankings(&self) -> u64 {
        self.failed_rankings.load(Ordering::Relaxed)
    }
}
