//! What is done when this machine has no open files, memory for sockets or ports left: nothing is handed out for a
//! moment, and whoever runs it is told once.

use std::time::{Duration, Instant};

/// How long nothing is handed out.
pub(super) const REST: Duration = Duration::from_secs(1);
/// Times without want that make a spell of it end.
const SPELL: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Want {
    last: Option<Instant>,
}

impl Want {
    /// A request could not be made for want of something.
    pub fn met(&mut self, now: Instant, detail: &str) {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) > SPELL) {
            tracing::warn!(
                detail,
                "this machine has no open files, memory for sockets or ports left, so fetching rests for a moment, and \
                 again as often as that happens; raise the limit of open files (ulimit -n, or LimitNOFILE= of the \
                 service), or lower crawl.fetchers or fetch.max_idle_connections"
            );
        }
        self.last = self.last.max(Some(now));
    }

    /// Whether nothing is to be handed out.
    pub fn lasts(&self) -> bool {
        self.last.is_some_and(|last| last.elapsed() < REST)
    }
}
