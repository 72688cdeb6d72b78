//! Backoff of the whole crawl when this machine has no open files, socket memory or ports left. No work
//! starts for a moment, and the operator gets one warning.

use std::time::Instant;

use crate::crawl::timing::{RESOURCE_PAUSE, SHORTAGE_LOG_INTERVAL};

#[derive(Debug, Default)]
pub(in crate::crawl) struct ResourceBackoff {
    last_shortage: Option<Instant>,
}

impl ResourceBackoff {
    /// Notes that this machine could not make a request.
    pub(crate) fn report_shortage(&mut self, now: Instant, detail: &str) {
        if self.last_shortage.is_none_or(|last| now.saturating_duration_since(last) > SHORTAGE_LOG_INTERVAL) {
            tracing::warn!(
                detail,
                "this machine has no open files, socket memory or ports left, so fetching pauses for a second each time; \
                 raise the limit of open files (ulimit -n, or LimitNOFILE= of the service), or lower crawl.fetchers \
                 or fetch.max_idle_connections"
            );
        }
        self.last_shortage = self.last_shortage.max(Some(now));
    }

    /// Whether no work may start.
    pub(crate) fn is_active(&self) -> bool {
        self.last_shortage.is_some_and(|last| last.elapsed() < RESOURCE_PAUSE)
    }
}
