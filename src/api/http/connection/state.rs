//! The state of a connection that decides about its timeouts and its end.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use futures_util::task::AtomicWaker;

use super::CutReason;
use super::exchange::{Exchange, ExchangeGuard, ExchangePhase};
use super::timeouts::{ConnectionTimeouts, NEVER, is_past, now};

/// The phase of a connection's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPhase {
    Open = 0,
    /// Pending responses are finished, and no request is accepted.
    Draining = 1,
    Closing = 2,
}

/// What happens on a connection. Times are in milliseconds of [`now`].
pub struct ConnectionState {
    accepted_at: u64,
    /// A [`ConnectionPhase`]. The task of the connection is woken when it changes.
    phase: AtomicU8,
    task_waker: AtomicWaker,
    pub(super) is_http2: AtomicBool,
    /// When the first bytes of an incomplete request head arrived; [`NEVER`] if there are none.
    head_since: AtomicU64,
    /// When the last request ended; [`NEVER`] before the first one.
    pub(super) idle_since: AtomicU64,
    /// Since when sending has to wait for the client to read; [`NEVER`] if it does not.
    blocked_since: AtomicU64,
    /// When the client last took bytes; 0 before that. Over HTTP/1 they belong to the only response that is being sent.
    pub(super) last_write: AtomicU64,
    /// Whether a response was broken off after its start.
    is_broken_off: AtomicBool,
    /// The number of wrong passwords.
    pub(super) wrong_logins: AtomicU32,
    exchanges: Mutex<Vec<Arc<Exchange>>>,
}

impl ConnectionState {
    pub fn new() -> Self {
        Self {
            accepted_at: now(),
            phase: AtomicU8::new(ConnectionPhase::Open as u8),
            task_waker: AtomicWaker::new(),
            is_http2: AtomicBool::new(false),
            head_since: AtomicU64::new(NEVER),
            idle_since: AtomicU64::new(NEVER),
            blocked_since: AtomicU64::new(NEVER),
            last_write: AtomicU64::new(0),
            is_broken_off: AtomicBool::new(false),
            wrong_logins: AtomicU32::new(0),
            exchanges: Mutex::default(),
        }
    }

    /// Records that bytes arrived from the client.
    pub fn record_read(&self, is_http2: bool) {
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        // During a request they usually belong to its body.
        let is_head = !self.is_http2.load(Ordering::Relaxed)
            && self.head_since.load(Ordering::Relaxed) == NEVER
            && self.exchanges().is_empty();
        if is_head {
            self.head_since.store(now(), Ordering::Relaxed);
        }
    }

    /// Records that bytes were sent to the client, or that sending is blocked.
    pub fn record_write(&self, is_blocked: bool) {
        let now = now();
        if !is_blocked {
            self.last_write.store(now, Ordering::Relaxed);
            self.blocked_since.store(NEVER, Ordering::Relaxed);
        } else if !self.is_blocked() {
            self.blocked_since.store(now, Ordering::Relaxed);
        }
    }

    /// Records that a response was broken off after its start. Over HTTP/1.0 the client notices this only by the way in
    /// which the connection ends.
    pub fn mark_broken_off(&self) {
        self.is_broken_off.store(true, Ordering::Relaxed);
    }

    /// Whether the connection must not be closed in an orderly way, as if the response were complete.
    pub fn is_broken_off(&self) -> bool {
        self.is_broken_off.load(Ordering::Relaxed) && !self.is_http2.load(Ordering::Relaxed)
    }

    fn is_blocked(&self) -> bool {
        self.blocked_since.load(Ordering::Relaxed) != NEVER
    }

    /// Records that the head of a request was read. Dropping the guard ends the exchange.
    pub fn begin_exchange(self: &Arc<Self>) -> ExchangeGuard {
        self.head_since.store(NEVER, Ordering::Relaxed);
        let exchange = Arc::new(Exchange::new(self));
        self.exchanges().push(Arc::clone(&exchange));
        ExchangeGuard::new(exchange)
    }

    /// A panic in another thread cannot leave the list half changed.
    pub(super) fn exchanges(&self) -> MutexGuard<'_, Vec<Arc<Exchange>>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the connection is draining and has no pending response.
    pub fn is_drained(&self) -> bool {
        self.phase.load(Ordering::Acquire) == ConnectionPhase::Draining as u8 && !self.has_pending_response()
    }

    /// Aborts requests that have exceeded their timeout. Returns the reason to close the whole connection, if there is
    /// one.
    pub fn check_timeouts(
        &self,
        timeouts: &ConnectionTimeouts,
        mut count: impl FnMut(CutReason),
    ) -> Option<CutReason> {
        let (now, exchanges) = (now(), self.exchanges());
        let is_over = |since: u64, timeout: Duration| is_past(since, now, timeout);
        let blocked_since = self.blocked_since.load(Ordering::Relaxed);
        if exchanges.is_empty() && blocked_since != NEVER {
            // The end of a computed response waits for the client to read.
            return is_over(blocked_since, timeouts.write).then_some(CutReason::Write);
        }
        if exchanges.is_empty() {
            let idle_since = self.idle_since.load(Ordering::Relaxed);
            // The first request has to arrive within the same time as the rest of an incomplete head.
            let is_first = idle_since == NEVER;
            let head_since =
                if is_first { self.accepted_at } else { self.head_since.load(Ordering::Relaxed) };
            if is_over(head_since, timeouts.head) {
                return Some(CutReason::Head);
            }
            return is_over(self.idle_since(), timeouts.idle).then_some(CutReason::Idle);
        }
        for exchange in exchanges.iter() {
            let is_unread = exchange.waits_for_client() && is_over(exchange.last_progress(), timeouts.write);
            let cut = match is_unread {
                true => CutReason::Write,
                false if is_over(exchange.started(), timeouts.request) => CutReason::Request,
                false => continue,
            };
            if exchange.abort() {
                count(cut);
            }
        }
        None
    }

    /// Returns since when the connection is idle or, if all of its responses have been unread for `unread_for`, since
    /// when. Returns `None` if it is in use.
    pub fn idle_or_unread_since(&self, unread_for: Duration) -> Option<u64> {
        let (now, exchanges) = (now(), self.exchanges());
        let progress = exchanges.iter().map(|exchange| {
            let is_login_delayed = exchange.is_login_delayed();
            let since = if is_login_delayed { exchange.started() } else { exchange.last_progress() };
            (is_login_delayed || exchange.waits_for_client()).then_some(since)
        });
        let mut latest = self.idle_since();
        for progress in progress {
            latest = latest.max(progress?);
        }
        let blocked_since = self.blocked_since.load(Ordering::Relaxed);
        if blocked_since != NEVER {
            latest = latest.max(blocked_since);
        }
        let is_used = !exchanges.is_empty() || blocked_since != NEVER;
        (!is_used || is_past(latest, now, unread_for)).then_some(latest)
    }

    /// Since when the connection has no request, if it has none.
    fn idle_since(&self) -> u64 {
        match self.idle_since.load(Ordering::Relaxed) {
            NEVER => self.accepted_at,
            since => since,
        }
    }

    /// Closes the connection.
    pub fn close(&self) {
        self.phase.store(ConnectionPhase::Closing as u8, Ordering::Release);
        self.task_waker.wake();
    }

    /// Lets the connection finish its pending responses, and nothing else.
    pub fn drain(&self) {
        let (open, drain) = (ConnectionPhase::Open as u8, ConnectionPhase::Draining as u8);
        if self.phase.compare_exchange(open, drain, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.task_waker.wake();
        }
    }

    /// Returns the phase, and registers the task to be woken when it changes.
    pub fn phase(&self, context: &Context<'_>) -> ConnectionPhase {
        self.task_waker.register(context.waker());
        match self.phase.load(Ordering::Acquire) {
            0 => ConnectionPhase::Open,
            1 => ConnectionPhase::Draining,
            _ => ConnectionPhase::Closing,
        }
    }

    /// Whether a request was read to its end and its response is not completely sent.
    pub fn has_pending_response(&self) -> bool {
        self.is_blocked()
            || self.exchanges().iter().any(|exchange| exchange.phase() != ExchangePhase::Reading)
    }

    /// Returns the exchanges whose responses have been unread for `for_long`, with the time since when.
    pub fn unread_exchanges(&self, for_long: Duration) -> Vec<(u64, Arc<Exchange>)> {
        let (now, exchanges) = (now(), self.exchanges());
        let unread_exchanges = exchanges.iter().filter_map(|exchange| {
            let progress = exchange.last_progress();
            let is_unread = exchange.waits_for_client() && is_past(progress, now, for_long);
            is_unread.then(|| (progress, Arc::clone(exchange)))
        });
        unread_exchanges.collect()
    }
}
