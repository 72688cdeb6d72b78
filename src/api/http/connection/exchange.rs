//! Exchanges: a request and its response on a connection.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::ConnectionState;
use super::timeouts::now;
use crate::api::http::admission::Client;

/// A request in progress, and its response. Times are in milliseconds of [`now`].
pub struct Exchange {
    /// When the head of the request was read.
    started: u64,
    phase: AtomicU8,
    /// When bytes of the response were last handed to the connection; see [`Exchange::last_progress`].
    last_taken: AtomicU64,
    /// Whether bytes of the response are ready. If not, the client is not the one who delays it.
    has_bytes_ready: AtomicBool,
    /// Whether its password is delayed because of earlier wrong passwords.
    is_login_delayed: AtomicBool,
    /// The bytes held for the response, and the client they are charged to.
    held: Mutex<Option<(u64, Client)>>,
    /// Aborts the task of the HTTP/2 stream. `None` over HTTP/1, where aborting closes the connection.
    stream_end: Mutex<Option<Arc<Notify>>>,
    is_aborted: AtomicBool,
    connection: Arc<ConnectionState>,
}

/// How far an exchange has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangePhase {
    /// The client is sending the request.
    Reading = 0,
    /// The response is being computed.
    Computing = 1,
    /// The response is being sent.
    Writing = 2,
}

impl Exchange {
    /// Creates an exchange whose head was read just now.
    pub(super) fn new(connection: &Arc<ConnectionState>) -> Self {
        let now = now();
        Self {
            started: now,
            phase: AtomicU8::new(ExchangePhase::Reading as u8),
            last_taken: AtomicU64::new(now),
            has_bytes_ready: AtomicBool::new(false),
            is_login_delayed: AtomicBool::new(false),
            held: Mutex::default(),
            stream_end: Mutex::default(),
            is_aborted: AtomicBool::new(false),
            connection: Arc::clone(connection),
        }
    }

    /// When the head of the request was read.
    pub(super) fn started(&self) -> u64 {
        self.started
    }

    /// Whether its password is delayed because of earlier wrong passwords.
    pub(super) fn is_login_delayed(&self) -> bool {
        self.is_login_delayed.load(Ordering::Relaxed)
    }

    pub(super) fn phase(&self) -> ExchangePhase {
        match self.phase.load(Ordering::Relaxed) {
            0 => ExchangePhase::Reading,
            1 => ExchangePhase::Computing,
            _ => ExchangePhase::Writing,
        }
    }

    /// Records that the request was read to its end.
    pub fn mark_request_read(&self) {
        self.phase.store(ExchangePhase::Computing as u8, Ordering::Relaxed);
    }

    /// Records that the response starts to be sent.
    pub fn mark_response_started(&self, held: Option<(u64, Client)>) {
        self.record_progress(true);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        self.phase.store(ExchangePhase::Writing as u8, Ordering::Relaxed);
    }

    /// The number of wrong passwords on its connection.
    pub fn wrong_logins(&self) -> u32 {
        self.connection.wrong_logins.load(Ordering::Relaxed)
    }

    /// Sets whether its password is delayed because of earlier wrong passwords. Such an exchange does not protect its
    /// connection from being displaced.
    pub fn set_login_delayed(&self, is_login_delayed: bool) {
        self.is_login_delayed.store(is_login_delayed, Ordering::Relaxed);
    }

    /// Counts a wrong password.
    pub fn count_wrong_login(&self) {
        self.connection.wrong_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that the client takes bytes of the response, and whether more are ready.
    pub fn record_progress(&self, has_bytes_ready: bool) {
        self.has_bytes_ready.store(has_bytes_ready, Ordering::Relaxed);
        self.last_taken.store(now(), Ordering::Relaxed);
    }

    /// When the client last took bytes of the response.
    pub(super) fn last_progress(&self) -> u64 {
        let (last_taken, last_write) = (&self.last_taken, &self.connection.last_write);
        let own = last_taken.load(Ordering::Relaxed);
        if self.is_http2() { own } else { own.max(last_write.load(Ordering::Relaxed)) }
    }

    /// Whether the response continues only when the client reads.
    pub(super) fn waits_for_client(&self) -> bool {
        self.phase() == ExchangePhase::Writing && self.has_bytes_ready.load(Ordering::Relaxed)
    }

    /// The bytes held for the response, and the client they are charged to.
    pub fn held(&self) -> Option<(u64, Client)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// See [`ConnectionState::mark_broken_off`].
    pub fn mark_broken_off(&self) {
        self.connection.mark_broken_off();
    }

    /// Whether the connection uses HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.connection.is_http2.load(Ordering::Relaxed)
    }

    pub fn set_stream_end(&self, end: Arc<Notify>) {
        *self.stream_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Aborts the exchange. Returns `false` if it was aborted before.
    pub fn abort(&self) -> bool {
        if self.is_aborted.swap(true, Ordering::Relaxed) {
            return false;
        }
        match &*self.stream_end.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(end) => end.notify_one(),
            None => self.connection.close(),
        }
        true
    }
}

/// Ends its exchange when dropped.
pub struct ExchangeGuard(Arc<Exchange>);

impl ExchangeGuard {
    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }
}

impl std::ops::Deref for ExchangeGuard {
    type Target = Arc<Exchange>;

    fn deref(&self) -> &Arc<Exchange> {
        &self.0
    }
}

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        let connection = &self.0.connection;
        let mut exchanges = connection.exchanges();
        exchanges.retain(|exchange| !Arc::ptr_eq(exchange, &self.0));
        connection.idle_since.store(now(), Ordering::Relaxed);
    }
}
