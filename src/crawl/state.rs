//! The state of a crawl for operators: whether it fetches, and since when; and the pause that an operator asks for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::clock::unix_now;

/// The state of a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrawlState {
    /// It fetches, or waits for the delay of a host.
    Running,
    /// No host is ready, and nothing is in flight.
    Idle,
    /// No fetch starts. Those in flight are finished.
    Paused(PauseCause),
}

/// Why a crawl is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseCause {
    /// An operator asked for it.
    Operator,
    /// A disk is nearly full.
    Disk,
    /// Responses cannot be archived.
    Archive,
    /// The store takes no writes.
    Store,
}

/// The state of a crawl, with the Unix time at which it began, and whether an operator paused the crawl.
#[derive(Debug)]
pub(super) struct StateGauge {
    is_paused_by_operator: AtomicBool,
    present: Mutex<(CrawlState, u64)>,
}

impl Default for StateGauge {
    fn default() -> Self {
        Self {
            is_paused_by_operator: AtomicBool::new(false),
            present: Mutex::new((CrawlState::Running, unix_now())),
        }
    }
}

impl StateGauge {
    /// Whether an operator paused the crawl.
    pub(super) fn is_paused_by_operator(&self) -> bool {
        self.is_paused_by_operator.load(Ordering::Acquire)
    }

    /// Pauses the crawl for an operator, or ends this pause. Returns whether that changes anything.
    pub(super) fn set_paused_by_operator(&self, is_paused: bool) -> bool {
        let changes = self.is_paused_by_operator.swap(is_paused, Ordering::AcqRel) != is_paused;
        if changes {
            self.observe(CrawlState::Running);
        }
        changes
    }

    /// Takes the state that the loop sees. The pause of an operator goes before it.
    pub(super) fn observe(&self, seen: CrawlState) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let state =
            if self.is_paused_by_operator() { CrawlState::Paused(PauseCause::Operator) } else { seen };
        if present.0 != state {
            *present = (state, unix_now());
        }
    }

    /// The state, and the Unix time at which it began.
    pub(super) fn present(&self) -> (CrawlState, u64) {
        *self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_of_an_operator_goes_before_what_the_loop_sees() {
        let gauge = StateGauge::default();
        let state = || gauge.present().0;
        assert_eq!(state(), CrawlState::Running);
        gauge.observe(CrawlState::Idle);
        assert_eq!(state(), CrawlState::Idle);
        assert!(
            gauge.set_paused_by_operator(true)
                && !gauge.set_paused_by_operator(true)
                && gauge.is_paused_by_operator()
        );
        gauge.observe(CrawlState::Running);
        gauge.observe(CrawlState::Paused(PauseCause::Disk));
        assert_eq!(state(), CrawlState::Paused(PauseCause::Operator));
        assert!(
            gauge.set_paused_by_operator(false)
                && !gauge.set_paused_by_operator(false)
                && !gauge.is_paused_by_operator()
        );
        gauge.observe(CrawlState::Paused(PauseCause::Disk));
        assert_eq!(state(), CrawlState::Paused(PauseCause::Disk));
    }
}
