//! The background work that the metrics report: the crawl and the rankings of this process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::crawl::Progress;

/// Filled in by the daemon; empty in a server without a crawl.
#[derive(Debug, Default)]
pub struct ProcessActivity {
    crawl: Option<Arc<Progress>>,
    last_ranking: Mutex<Option<LastRanking>>,
    failed_rankings: AtomicU64,
    ended_rankings: AtomicU64,
    is_ranking: AtomicBool,
    /// Whether a ranking was asked for that has not begun.
    awaits_ranking: AtomicBool,
}

/// A ranking that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastRanking {
    /// `None` for a ranking of an earlier process.
    pub took: Option<Duration>,
    pub ended: SystemTime,
}

impl ProcessActivity {
    /// Reports a crawl.
    pub fn of_crawl(progress: &Arc<Progress>) -> Self {
        Self { crawl: Some(Arc::clone(progress)), ..Self::default() }
    }

    /// Reports the last ranking of an earlier process too, by its Unix time.
    #[must_use]
    pub fn with_former_ranking(self, unix_seconds: Option<u64>) -> Self {
        let former = unix_seconds
            .map(|seconds| LastRanking { took: None, ended: UNIX_EPOCH + Duration::from_secs(seconds) });
        Self { last_ranking: Mutex::new(former), ..self }
    }

    /// The crawl, if there is one.
    pub fn crawl(&self) -> Option<&Arc<Progress>> {
        self.crawl.as_ref()
    }

    /// Records that a ranking begins, or that it ended.
    pub fn set_ranking(&self, is_ranking: bool) {
        self.is_ranking.store(is_ranking, Ordering::Release);
    }

    /// Whether a ranking is under way.
    pub fn is_ranking(&self) -> bool {
        self.is_ranking.load(Ordering::Acquire)
    }

    /// Asks for a ranking now.
    pub fn request_ranking(&self) {
        self.awaits_ranking.store(true, Ordering::Release);
    }

    /// Takes the request for a ranking, if there is one.
    pub fn take_ranking_request(&self) -> bool {
        self.awaits_ranking.swap(false, Ordering::AcqRel)
    }

    /// Records that a ranking was published just now.
    pub fn record_ranking(&self, took: Duration) {
        let ranking = LastRanking { took: Some(took), ended: SystemTime::now() };
        *self.last_ranking.lock().unwrap_or_else(PoisonError::into_inner) = Some(ranking);
        self.ended_rankings.fetch_add(1, Ordering::Release);
    }

    /// Records that a ranking failed.
    pub fn record_failed_ranking(&self) {
        self.failed_rankings.fetch_add(1, Ordering::Relaxed);
        self.ended_rankings.fetch_add(1, Ordering::Release);
    }

    /// Rankings that ended, with those that failed.
    pub fn ended_rankings(&self) -> u64 {
        self.ended_rankings.load(Ordering::Acquire)
    }

    pub(super) fn last_ranking(&self) -> Option<LastRanking> {
        *self.last_ranking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rankings that failed.
    pub fn failed_rankings(&self) -> u64 {
        self.failed_rankings.load(Ordering::Relaxed)
    }
}
