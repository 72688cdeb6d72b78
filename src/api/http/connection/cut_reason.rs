//! The reasons why connections and requests are cut or refused. Each is counted, and logged at intervals.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::log_throttle::LogThrottle;

/// Why a client was cut off or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReason {
    /// `api.max_connections` are open, and none of them is idle.
    Connections,
    /// `api.max_connections_per_address` are open from the address.
    Address,
    /// The system has no more open files or memory for connections.
    Files,
    /// An idle connection was closed for a new one.
    Displaced,
    /// `api.head_timeout`.
    Head,
    /// `api.body_timeout`.
    Body,
    /// `api.idle_timeout`.
    Idle,
    /// `api.write_timeout`.
    Write,
    /// `api.request_timeout`.
    Request,
    /// A response that is not read was aborted, because others needed its memory.
    Memory,
    /// A panic of this program.
    Panic,
}

impl CutReason {
    pub const ALL: [Self; 11] = [
        Self::Connections,
        Self::Address,
        Self::Files,
        Self::Displaced,
        Self::Head,
        Self::Body,
        Self::Idle,
        Self::Write,
        Self::Request,
        Self::Memory,
        Self::Panic,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Address => "address",
            Self::Files => "files",
            Self::Displaced => "displaced",
            Self::Head => "head",
            Self::Body => "body",
            Self::Idle => "idle",
            Self::Write => "write",
            Self::Request => "request",
            Self::Memory => "memory",
            Self::Panic => "panic",
        }
    }

    /// The message for the log; `None` for common reasons.
    fn message(self) -> Option<&'static str> {
        Some(match self {
            Self::Connections => "connections are refused: api.max_connections are open and in use",
            Self::Address => {
                "connections are refused: an address has api.max_connections_per_address open and in use"
            }
            Self::Files => {
                "connections cannot be accepted: the system has no more open files or memory for them; raise the limit of \
                 open files (ulimit -n, or LimitNOFILE= of the service), or lower api.max_connections"
            }
            Self::Displaced => "idle connections are closed, because new ones need their places",
            Self::Head => "connections are closed: the head of a request took longer than api.head_timeout",
            Self::Body => "requests are refused: a body took longer than api.body_timeout",
            Self::Write => "responses are aborted: a client did not read its response for api.write_timeout",
            Self::Request => "responses are aborted: a request took longer than api.request_timeout",
            Self::Memory => {
                "unread responses are aborted, because others need their memory; see api.answer_memory_bytes"
            }
            Self::Idle | Self::Panic => return None,
        })
    }
}

/// Counters by reason.
pub struct CutCounters {
    counts: [AtomicU64; CutReason::ALL.len()],
    throttles: [Mutex<LogThrottle>; CutReason::ALL.len()],
}

impl CutCounters {
    pub fn new() -> Self {
        Self { counts: Default::default(), throttles: Default::default() }
    }

    pub fn count(&self, cut: CutReason) {
        let at = cut as usize;
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        let Some(message) = cut.message() else { return };
        let mut throttle = self.throttles[at].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = throttle.count(Instant::now()) {
            tracing::warn!(count, "{message}");
        }
    }

    /// Returns the name of each reason with its number of cuts.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = CutReason::ALL.into_iter().zip(&self.counts);
        counts.map(|(reason, count)| (reason.as_str(), count.load(Ordering::Relaxed)))
    }
}
